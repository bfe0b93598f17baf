"""A text file a piece at a time, cut where the tokens on both sides are those of the whole."""

from collections.abc import Iterator
from pathlib import Path

from lstmbench.corpus.splits import LONGEST_WORD
from lstmbench.errors import CorpusError

PIECE = 2**16  # bytes
_MARK = "\ufeff".encode()


def pieces(path: Path, *, at_spaces: bool, begin: int = 0) -> Iterator[tuple[int, str]]:
    """Each piece, with the byte that it begins at; `begin` is where one of them does. CorpusError as for a whole text.

    Cuts fall between characters, `at_spaces` before a space that ends a word: the next piece starts with it. Where no
    word ends for long, in scripts without spaces, one is cut.
    """
    try:
        with path.open("rb") as file:
            offset = len(_MARK) if begin == 0 and file.read(len(_MARK)) == _MARK else begin
            file.seek(offset)
            held = file.read(PIECE + 1)
            while held:
                cut = _cut(held[:PIECE], at_spaces=at_spaces) if len(held) > PIECE else len(held)
                yield offset, _text(held[:cut], path, offset)
                held, offset = held[cut:] + file.read(cut), offset + cut
    except OSError as error:
        raise CorpusError(f"cannot read {path}: {error.strerror or error}") from error


def _cut(data: bytes, *, at_spaces: bool) -> int:
    """Where to cut `data`, of which more follows."""
    end = len(data)
    while end > max(1, len(data) - 3) and 0x80 <= data[end - 1] < 0xC0:
        end -= 1  # to the first byte of the last character, which may go on
    if end > 1 and (data[end - 1] >= 0xC0 or data[end - 1] == 0x0D):
        end -= 1  # before it, or before a line break of two bytes
    if not at_spaces:
        return end
    space = data.rfind(b" ", max(1, end - 4 * LONGEST_WORD), end)
    while space > 0 and data[space - 1 : space].isspace():
        space = data.rfind(b" ", max(1, end - 4 * LONGEST_WORD), space)
    return space if space > 0 else end


def _text(data: bytes, path: Path, offset: int) -> str:
    try:
        return data.decode().replace("\r\n", "\n")
    except UnicodeDecodeError as error:
        byte = offset + error.start
        raise CorpusError(f"{path} is not UTF-8: byte {byte} cannot be read; convert the file first") from error
