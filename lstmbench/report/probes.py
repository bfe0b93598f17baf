"""What probes found: a matrix of features and runtimes, and what stands behind the cells that are not right."""

from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

from lstmbench import disk
from lstmbench.errors import RecordError
from lstmbench.plain import plain
from lstmbench.records import Finding, Machine, ProbeRow, labelled
from lstmbench.report import definitions, summary, wording
from lstmbench.report.markdown import escape, table
from lstmbench.report.sheets import Row, Sheet
from lstmbench.report.terminal import TerminalTable
from lstmbench.runfolder import MACHINE, PROBES

PROBE = "probe.md"
_LONG = 240  # characters of a reason; the raw rows have it whole
_MARKS: dict[Finding, str] = {"right": "+", "wrong": "X", "refused": "-", "crashed": "!"}
_TITLE = "What runtimes make of the LSTM operator"
_NOTE = (
    "One process a cell. Beside right and wrong stands the largest difference from the operator in float64, of that of "
    "Y, Y_h and Y_c which is off most. Mistakes that bear on a row move its answer by a hundred tolerances or more."
)
_WRONG = "Wrong, and whose answer it is"
_WRONG_NOTE = "Mistakes that give these very numbers, and the features at which they do, each with its error."
_BEHIND = "Refused, crashed, or wrong in no way that is known"


def probe_tables(run: Path, runtimes: Sequence[str] | None = None) -> list[TerminalTable]:
    """How much each runtime has right, and the matrix in marks; `runtimes`: those that are meant."""
    rows = _meant(run, runtimes)
    return [_counts(rows), _marks(rows)]


def probe_reasons(run: Path, runtimes: Sequence[str] | None = None) -> list[TerminalTable]:
    """What stands behind the marks, in words: whose answer a wrong one is, and what was said."""
    rows = _meant(run, runtimes)
    return [TerminalTable(one.title, (*one.keys, *one.values), _cells(one)) for one in _behind_marks(rows)]


def _meant(run: Path, runtimes: Sequence[str] | None) -> list[ProbeRow]:
    return [row for row in _read(run) if runtimes is None or row.runtime in runtimes]


def _cells(sheet: Sheet) -> list[tuple[str, ...]]:
    return [(*row.keys, *row.values) for row in sheet.rows]


def _counts(rows: Sequence[ProbeRow]) -> TerminalTable:
    """How many features each has right, wrong, refused and crashed at, and what it is numbered in the matrix."""
    lines = []
    for n, (name, label) in enumerate(_columns(rows).items(), 1):
        found = Counter(row.finding for row in rows if row.runtime == name)
        lines.append((f"{n} {label}", *(str(found[finding]) for finding in _MARKS)))
    return TerminalTable(_TITLE, ("Runtime", *_MARKS), lines)


def _marks(rows: Sequence[ProbeRow]) -> TerminalTable:
    names = list(_columns(rows))
    by_cell = {(row.feature, row.runtime): _MARKS[row.finding] for row in rows}
    features = dict.fromkeys(row.feature for row in rows)
    lines = [(plain(feature), *(by_cell.get((feature, name), " ") for name in names)) for feature in features]
    legend = ", ".join(f"{mark} {finding}" for finding, mark in _MARKS.items())
    return TerminalTable(legend, ("Feature", *(str(n) for n, _ in enumerate(names, 1))), lines)


def probe_sheets(rows: Sequence[ProbeRow]) -> list[Sheet]:
    """The same for the page and for Markdown."""
    return [_matrix(rows), *_behind_marks(rows)] if rows else []


def _behind_marks(rows: Sequence[ProbeRow]) -> list[Sheet]:
    return [sheet for sheet in (_wrong(rows), _behind(rows)) if sheet.rows]


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
    return f"{row.finding} {_error(row)}".strip()


def _error(row: ProbeRow) -> str:
    worst = row.worst
    return wording.error(worst.max_error) if worst and worst.max_error is not None else ""


def _wrong(rows: Sequence[ProbeRow]) -> Sheet:
    """A line for each mistake of a runtime, with the features at which its answer is that mistake's."""
    found: dict[tuple[str, str], list[str]] = {}
    for row in rows:
        if row.finding == "wrong" and row.resembles:
            where = f"{row.feature} ({_error(row)})"
            found.setdefault((labelled(row.runtime, row.device), row.resembles), []).append(where)
    lines = tuple(
        Row((plain(runtime), mistake), ("; ".join(map(plain, where)),)) for (runtime, mistake), where in found.items()
    )
    keys, values = ("Runtime", "Answers as if"), ("Features, and the error",)
    return Sheet("probe-wrong", "Wrong", _WRONG, _WRONG_NOTE, keys, values, lines, wrapped=values)


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
