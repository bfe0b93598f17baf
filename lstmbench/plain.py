"""Text that came from a file, as one line that is safe to show."""

import unicodedata

_LONGEST, _WIDEST = 1000, 300  # characters of a line, and of one cell of a table; what is longer loses its midst


def plain(text: str) -> str:
    """One line of printable characters: controls, line breaks and direction marks become single spaces."""
    if not text.isprintable():
        text = "".join(letter if letter.isprintable() else " " for letter in text)
    return " ".join(text.split())


def shown(text: str) -> str:
    """Text of several lines as it is, but for what a terminal obeys: controls and marks that turn the direction."""
    return "".join("\ufffd" if _commands(letter) else letter for letter in text)


def _commands(letter: str) -> bool:
    turns = "\u202a" <= letter <= "\u202e" or "\u2066" <= letter <= "\u2069"
    return turns or (letter not in "\n\t" and unicodedata.category(letter) in {"Cc", "Cs"})


def sentence(text: str) -> str:
    """`plain`, and short enough to be read: what is wrong stands in front, what to do at the end."""
    return _short(text, _LONGEST)


def cell(text: str) -> str:
    """`plain`, and short enough to stand beside others."""
    return _short(text, _WIDEST)


def _short(text: str, most: int) -> str:
    line = plain(text)
    return line if len(line) <= most else f"{line[: most // 2]} … {line[-most // 2 :]}"
