"""`onnx-cases.md`: which mistakes ONNX's own LSTM cases miss, drawn from `onnx-cases.json` alone."""

from collections.abc import Iterator
from pathlib import Path

from lstmbench import disk
from lstmbench.records import MistakeRow, Survey
from lstmbench.report import summary, wording
from lstmbench.report.markdown import escape, table
from lstmbench.report.sheets import Row, Sheet
from lstmbench.report.terminal import TerminalTable

SURVEY = "onnx-cases.json"
_NOTE = (
    "An engine with one mistake each. ONNX: the cases that it fails, compared as the backend tests compare. Probe: the "
    "rows that find it, of those on which it bears; and how many would, were they compared by "
    "allclose(rtol = atol = 1e-5) or 1e-3. Rows in fp16 and of integers are left out: there 1e-3 would refuse what is "
    "right."
)


def render_survey(out: Path) -> Path:
    """Write `onnx-cases.md` beside `onnx-cases.json`; the same bytes from the same file."""
    found = disk.read_record(out / SURVEY, Survey)
    path = out / "onnx-cases.md"
    disk.write_atomically(path, ("\n".join(_lines(found)) + "\n").encode())
    return path


def survey_tables(found: Survey) -> list[TerminalTable]:
    """The same for the terminal."""
    sheet = _sheet(found)
    rows = [(*row.keys, *row.values) for row in sheet.rows]
    return [TerminalTable(f"{sheet.title}. {_verdict(found)}", (*sheet.keys, *sheet.values), rows)]


def _lines(found: Survey) -> Iterator[str]:
    sheet = _sheet(found)
    yield from (f"# {sheet.title}", "", _verdict(found), "", escape(_NOTE), "")
    yield from (f"Cases of onnx {found.onnx_version}: {', '.join(f'`{name}`' for name in found.cases)}.", "")
    versions = ", ".join(f"{name} {version}" for name, version in found.machine.versions.items())
    yield from (f"Machine: {escape(summary.place_and_time(found.machine))}; {escape(versions)}", "")
    yield from (*table(sheet), "")
    yield "The operator has no peephole on the candidate, so none can be missing there."


def _verdict(found: Survey) -> str:
    shown = [row for row in found.mistakes if row.rows_found]
    onnx = sum(bool(row.onnx_found) for row in found.mistakes)
    loose = [sum(bool(count) for count in counts) for counts in zip(*map(_loosely, shown), strict=True)]
    hidden = [row.mistake for row in found.mistakes if not row.rows_found]
    return (
        f"Of {len(found.mistakes)} mistakes the {wording.several(len(found.cases), 'case')} find {onnx}, the "
        f"{wording.several(found.rows, 'row')} of the probe {len(shown)}; under allclose(1e-5) they find {loose[0]}, "
        f"under allclose(1e-3) {loose[1]}. No vector can show an engine {', '.join(hidden)}."
    )


def _loosely(row: MistakeRow) -> tuple[int, int]:
    return row.close_1e5_found, row.close_1e3_found


def _sheet(found: Survey) -> Sheet:
    rows = tuple(_row(row, len(found.cases)) for row in found.mistakes)
    values = ("ONNX", "Probe", "at 1e-5", "at 1e-3")
    title = "What ONNX's own LSTM cases find, and what the probe does"
    return Sheet("survey", "Survey", title, _NOTE, ("Engine",), values, rows)


def _row(row: MistakeRow, cases: int) -> Row:
    onnx = f"{len(row.onnx_found)} of {cases}" if row.onnx_found else "missed"
    counts = (row.rows_found, row.close_1e5_found, row.close_1e3_found)
    values = tuple(f"{count} of {row.rows_asked}" if count else "missed" for count in counts)
    if not row.rows_found:
        values = ("no effect",) * 3
    return Row((row.mistake,), (onnx, *values))
