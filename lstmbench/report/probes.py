"""What probes found: a matrix of features and runtimes, and what stands behind the cells that are not right."""

from collections.abc import Iterator, Sequence
from pathlib import Path

from lstmbench import disk
from lstmbench.errors import RecordError
from lstmbench.plain import plain
from lstmbench.records import Machine, ProbeRow, labelled
from lstmbench.report import definitions, summary, wording
from lstmbench.report.markdown import escape, table
from lstmbench.report.sheets import Row, Sheet
from lstmbench.report.terminal import TerminalTable
from lstmbench.runfolder import MACHINE, PROBES

PROBE = "probe.md"
_LONG = 240  # characters of a reason; the raw rows have it whole
_ABREAST = 2  # runtimes that a terminal of 100 columns takes
_TITLE = "What runtimes make of the LSTM operator"
_NOTE = (
    "One process a cell. Beside right and wrong stands the largest difference from the operator in float64, of that of "
    "Y, Y_h and Y_c which is off most; beside wrong the mistake whose answer it is, where one is known that gives "
    "these very numbers. Mistakes that bear on a row move its answer by a hundred tolerances or more."
)
_BEHIND = "Refused, crashed, or wrong in no way that is known"


def probe_tables(run: Path, runtimes: Sequence[str] | None = None) -> list[TerminalTable]:
    """The matrix, two runtimes abreast, and what the others said; `runtimes`: those that are meant."""
    rows = [row for row in _read(run) if runtimes is None or row.runtime in runtimes]
    names = list(_columns(rows))
    parts = [names[n : n + _ABREAST] for n in range(0, len(names), _ABREAST)]
    drawn = []
    for part in parts:
        matrix = _matrix([row for row in rows if row.runtime in part])
        cells = [(*row.keys, *row.values) for row in matrix.rows]
        drawn.append(TerminalTable(matrix.title, (*matrix.keys, *matrix.values), cells))
    behind = _behind(rows)
    said = [(*row.keys, *row.values) for row in behind.rows]
    drawn.append(TerminalTable(behind.title, (*behind.keys, *behind.values), said))
    return [one for one in drawn if one.rows]


def probe_sheets(rows: Sequence[ProbeRow]) -> list[Sheet]:
    """The same for the page and for Markdown."""
    return [sheet for sheet in (_matrix(rows), _behind(rows)) if sheet.rows]


def render_probes(run: Path) -> Path:
    """Write `probe.md` beside the raw rows; the same bytes from the same files."""
    lines = _lines(_read(run), disk.read_record(run / MACHINE, Machine))
    disk.write_atomically(run / PROBE, ("\n".join(lines) + "\n").encode())
    return run / PROBE


def _read(run: Path) -> list[ProbeRow]:
    rows = disk.read_journal(run / PROBES, ProbeRow)
    if not rows:
        raise RecordError(f"{run} holds no whole line of {PROBES} yet; probe with 'lstmbench probe'")
    return rows


def _lines(rows: Sequence[ProbeRow], machine: Machine) -> Iterator[str]:
    yield from (f"# {_TITLE}", "", f"Machine: {escape(summary.place_and_time(machine))}")
    for sheet in probe_sheets(rows):
        yield from ("", f"## {sheet.title}", "", escape(sheet.note), "", *table(sheet))
    yield from ("", "## Words", "")
    yield from (f"- **{name}**: {escape(text)}" for name, text in definitions.probe_definitions())
    yield from ("", "## Machine", "")
    yield from (f"- **{name}**: {escape(text)}" for name, text in summary.machine_facts(machine))


def _columns(rows: Sequence[ProbeRow]) -> dict[str, str]:
    """Each runtime with its version, as the row that knows it has it."""
    found: dict[str, str] = {}
    for row in sorted(rows, key=lambda row: (row.runtime, not row.runtime_version)):
        found.setdefault(row.runtime, plain(wording.versioned(labelled(row.runtime, row.device), row.runtime_version)))
    return found


def _matrix(rows: Sequence[ProbeRow]) -> Sheet:
    columns = _columns(rows)
    by_cell = {(row.feature, row.runtime): row for row in rows}
    lines = []
    for feature in dict.fromkeys(row.feature for row in rows):
        found = [by_cell.get((feature, name)) for name in columns]
        bad = tuple(columns[row.runtime] for row in found if row and row.finding in {"wrong", "crashed"})
        lines.append(Row((plain(feature),), tuple(map(_cell, found)), bad=bad))
    labels = tuple(columns.values())
    return Sheet("probe", "Features", _TITLE, _NOTE, ("Feature",), labels, tuple(lines), wrapped=labels)


def _cell(row: ProbeRow | None) -> str:
    if row is None:
        return wording.NOT_AVAILABLE
    if row.finding in {"refused", "crashed"}:
        return row.finding
    worst = row.worst
    error = f" {wording.error(worst.max_error)}" if worst and worst.max_error is not None else ""
    return f"{row.finding}{error} {row.resembles}".strip()


def _behind(rows: Sequence[ProbeRow]) -> Sheet:
    """A line for each thing that a runtime said, with the features at which it said it."""
    said: dict[tuple[str, str, str], list[str]] = {}
    for row in rows:
        if row.finding != "right" and not row.resembles:
            said.setdefault((labelled(row.runtime, row.device), row.finding, _short(row)), []).append(row.feature)
    lines = tuple(
        Row((plain(runtime), finding), ("; ".join(map(plain, where)), reason))
        for (runtime, finding, reason), where in said.items()
    )
    values = ("Features", "Reason")
    note = "What the runtime said, or where it is off most."
    return Sheet("probe-reasons", "Reasons", _BEHIND, note, ("Runtime", "Finding"), values, lines, wrapped=values)


def _short(row: ProbeRow) -> str:
    """The reason without what its line says anyway; shapes of inputs differ by row, and stacks of calls are long."""
    reason = plain(row.reason).removeprefix(f"runtime {row.runtime!r} ")
    stage, _, message = reason.partition(": ")
    if row.finding == "refused" and message:
        reason = f"{stage.partition(' (')[0]}: {message}"
    return reason if len(reason) <= _LONG else f"{reason[: _LONG // 3]} … {reason[-_LONG // 2 :]}"
