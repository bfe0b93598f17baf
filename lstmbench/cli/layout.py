"""A table as lines of a given width: names break where they have a joint or not at all, numbers never do.

Three ways, of those that fit the one of fewest lines: every row on a line, cells of words broken at their joints; the
first column as a line of its own above the rows that share it; each row as a list of its columns.
"""

import re
from collections.abc import Iterator, Sequence
from itertools import groupby, zip_longest

from rich.cells import cell_len

_GAP, _EDGE, _INDENT = "   ", " ", "  "
_RULE = "─"
# behind a space, but not before a unit; behind / and - where a name goes on with a letter, so that 1.0e-6 stays whole
_SPACE = re.compile(r"(?<= )(?<!\d )|(?<=\d )(?!\S{1,3}(?:\s|$))")
_WITHIN = re.compile(r"(?<=[\w)][/-])(?=[^\W\d])")
Row = Sequence[str]


def lay_out(columns: Row, rows: Sequence[Row], *, left: int, width: int) -> list[str]:
    """The lines of a table, its head and a rule first; the first `left` columns are words, the others lie to the right.

    No line is wider than `width` unless a cell has a piece that is, and no joint.
    """
    ways = [_under_names(columns, rows, left, width)] if len(columns) > 1 and left else []
    ways.append(_abreast(columns, rows, left, width))
    fitting = [lines for lines in ways if lines]
    return min(fitting, key=len) if fitting else list(_as_list(columns, rows, width))


def broken(text: str, width: int) -> list[str]:
    """Lines of at most `width`, as far as joints allow; a word is broken within only where it has no line to itself."""
    lines = [""]
    for word in _SPACE.split(text):
        for piece in [word] if cell_len(word.rstrip()) <= width else _WITHIN.split(word):
            if cell_len((lines[-1] + piece).rstrip()) <= width or not lines[-1]:
                lines[-1] += piece
            else:
                lines.append(piece)
    return [line.rstrip() for line in lines]


def _abreast(columns: Row, rows: Sequence[Row], left: int, width: int) -> list[str]:
    """Every column beside the others; nothing where they do not fit however their words are broken."""
    by_column = [list(cells) for cells in zip(columns, *rows, strict=True)]
    words = [n < left or any(len(_pieces(cell)) > 1 for cell in cells) for n, cells in enumerate(by_column)]
    most = [max(map(cell_len, cells)) for cells in by_column]
    least = [
        max(_least(cell) for cell in cells) if wordy else wide
        for cells, wordy, wide in zip(by_column, words, most, strict=True)
    ]
    room = width - 2 * len(_EDGE) - len(_GAP) * (len(columns) - 1)
    if sum(least) > room:
        return []
    widths = _shared(least, most, room)
    sides = [n < left or any(cell_len(cell) > widths[n] for cell in cells[1:]) for n, cells in enumerate(by_column)]
    body = [line for row in rows for line in _line(row, widths, sides)]
    rule = _EDGE + _RULE * (sum(widths) + len(_GAP) * (len(widths) - 1) + len(_EDGE))
    return [*_line(columns, widths, sides), rule, *body]


def _shared(least: Sequence[int], most: Sequence[int], room: int) -> list[int]:
    """What is left beyond the least goes where most is missing, a cell at a time."""
    widths = list(least)
    for _ in range(min(room, sum(most)) - sum(least)):
        n = max(range(len(widths)), key=lambda n: most[n] - widths[n])
        widths[n] += 1
    return widths


def _least(cell: str) -> int:
    return max(cell_len(piece.rstrip()) for piece in _pieces(cell))


def _pieces(cell: str) -> list[str]:
    return [piece for word in _SPACE.split(cell) for piece in _WITHIN.split(word)]


def _line(cells: Row, widths: Sequence[int], to_the_left: Sequence[bool]) -> Iterator[str]:
    parts = [broken(cell, width) for cell, width in zip(cells, widths, strict=True)]
    for line in zip_longest(*parts, fillvalue=""):
        yield (_EDGE + _GAP.join(map(_padded, line, widths, to_the_left))).rstrip()


def _padded(cell: str, width: int, to_the_left: bool) -> str:
    space = " " * max(0, width - cell_len(cell))
    return cell + space if to_the_left else space + cell


def _under_names(columns: Row, rows: Sequence[Row], left: int, width: int) -> list[str]:
    """The first column above the others; nothing where the others do not fit."""
    names = [line for name in (columns[0], *(row[0] for row in rows)) for line in broken(name, width - len(_EDGE))]
    rest = _abreast(columns[1:], [row[1:] for row in rows], max(left - 1, 0), width - len(_INDENT))
    if not rest or len(rest) != len(rows) + 2 or max(map(cell_len, names)) + len(_EDGE) > width:
        return []
    head, rule, *body = (_INDENT + line for line in rest)
    lines = [_EDGE + columns[0], head, _EDGE + _RULE * (len(rule) - 1)]
    of_rows = iter(body)
    for name, group in groupby(rows, key=lambda row: row[0]):
        lines += [_EDGE + line for line in broken(name, width - len(_EDGE))]
        lines += [next(of_rows) for _ in group]
    return lines


def _as_list(columns: Row, rows: Sequence[Row], width: int) -> Iterator[str]:
    """A row after the other: its first cell, then a line a column."""
    names = max((cell_len(column) for column in columns[1:]), default=0)
    for row in rows:
        yield from (_EDGE + line for line in broken(row[0], width - len(_EDGE)))
        for column, cell in zip(columns[1:], row[1:], strict=True):
            first, *others = broken(cell, width - names - len(_EDGE + _INDENT + _INDENT))
            yield f"{_EDGE}{_INDENT}{_padded(column, names, to_the_left=True)}{_INDENT}{first}".rstrip()
            yield from (f"{_EDGE}{_INDENT}{' ' * names}{_INDENT}{line}" for line in others)
