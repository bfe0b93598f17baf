"""`report.md`: tables in text, charts as links; what comes from data cannot become markup."""

import re
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from lstmbench.report.sheets import Row, Sheet

if TYPE_CHECKING:
    from lstmbench.report.document import Document  # brings the charts' libraries, and a study has none

_MARKUP = re.compile(r"([\\`*_\[\]{}<>|&!#~$@])")
_ADDRESS = re.compile(r"(?<=:)/(?=/)|(?<=www)\.", re.IGNORECASE)  # GitHub makes links of bare ones


def markdown(document: "Document") -> str:
    """The report as GitHub-flavoured Markdown."""
    return "\n".join(_lines(document)) + "\n"


def escape(text: str) -> str:
    """Text in which Markdown sees no markup, HTML, table border or address."""
    return _ADDRESS.sub(r"\\\g<0>", _MARKUP.sub(r"\\\1", text))


def table(sheet: Sheet) -> Iterator[str]:
    """The lines of a table; what comes from data stays within its cell."""
    yield _bordered((*sheet.keys, *sheet.values))
    yield _bordered(("---",) * len(sheet.keys) + ("---:",) * len(sheet.values))
    yield from (_bordered(map(escape, _cells(row, len(sheet.values)))) for row in sheet.rows)


def _lines(document: "Document") -> Iterator[str]:
    yield from (f"# {document.title}", "", f"**{escape(document.verdict)}**", "")
    # a word of ours first: a line that begins with data could begin a list
    yield from (f"Exports: {escape(document.subjects)}", "", f"Machine: {escape(document.place_and_time)}", "")
    yield from (line for caution in document.cautions for line in (f"> {escape(caution)}", ""))
    yield from (f"- **{escape(key.value)}** {key.what} ({escape(key.detail)})" for key in document.key_figures)
    yield from _bullets("How to read this", map(escape, document.how_to_read))
    yield from ("", "## Charts")
    for figure in document.figures:
        yield from ("", f"### {figure.title}", "", f"![{figure.title}](charts/{figure.name}.png)", "", figure.caption)
    for sheet in document.sheets:
        yield from ("", f"## {sheet.title}", "", escape(sheet.note), "", *table(sheet))
    yield from _bullets("Machine", (f"**{name}**: {escape(text)}" for name, text in document.machine))
    yield from _bullets("Words", (f"**{name}**: {escape(text)}" for name, text in document.definitions))


def _bullets(title: str, items: Iterable[str]) -> Iterator[str]:
    yield from ("", f"## {title}", "", *(f"- {item}" for item in items))


def _cells(row: Row, n_values: int) -> tuple[str, ...]:
    if row.refused:  # Markdown has no spanning cells: the reason takes the first value's place
        return (*row.keys, f"refused: {row.refused}", *("–",) * (n_values - 1))
    return (*row.keys, *row.values)


def _bordered(cells: Iterable[str]) -> str:
    return f"| {' | '.join(cells)} |"
