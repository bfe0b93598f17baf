"""What long runs found: one line a subject, output and reference; a sheet, and tables for the terminal."""

from collections.abc import Iterable, Sequence
from itertools import groupby
from typing import NamedTuple

from lstmbench.records import Against, DriftRow
from lstmbench.report import subjects, wording
from lstmbench.report.sheets import Row, Sheet
from lstmbench.report.subjects import SubjectColumns
from lstmbench.report.terminal import TerminalTable, subject_name

STEPS = (1, 10, 100, 1_000, 10_000)
_ORDER = ("logits", "y", "h", "c")
TITLE = "Drift from the float64 reference over a long run"
_AGAINST = {"file": "the file's model", "trained": "the trained model"}
_NOTE = (
    "Largest error over rows and units after so many steps of one free run: the runtime's own state is fed back, the "
    "reference runs beside it on the same random inputs. Of a file in a lower precision, beside the model that its "
    "rounded weights make and beside the one that was trained. λ: e-foldings a step of a small difference in the "
    "reference; "
    "where it is chaotic, one rounding grows to 1 within the run, and an error says nothing of the runtime."
)


class DriftPoint(NamedTuple):
    """One output at one step."""

    subject: SubjectColumns
    against: Against
    output: str
    step: int
    max_error: float | None


def series(point: DriftPoint) -> str:
    """What tells a line from the others of its export and output."""
    subject = point.subject
    threads = f" · {wording.several(subject.threads, 'thread')}" if subject.threads > 1 else ""
    beside = ", beside the trained" if point.against == "trained" else ""
    return f"{subject.runtime}{wording.mixed(subject)} {subject.version}{threads}{beside}"


class DriftLine(NamedTuple):
    """One output over a whole run."""

    subject: SubjectColumns
    against: Against
    output: str
    points: tuple[DriftPoint, ...]
    lyapunov: float
    chaotic: bool

    def at(self, step: int) -> str:
        """The error at the first point from this step on; n/a past the end."""
        there = next((point for point in self.points if point.step >= step), None)
        if there is None:
            return wording.NOT_AVAILABLE
        return "not finite" if there.max_error is None else wording.error(there.max_error)


def drift_lines(rows: Iterable[DriftRow]) -> list[DriftLine]:
    """The longest run of each subject, in the order of names, outputs as the graph has them."""
    ordered = sorted(rows, key=lambda row: (*_key(row), row.step))
    return [_line(list(group)) for _, group in groupby(ordered, key=_key)]


def _key(row: DriftRow) -> tuple[SubjectColumns, str, int]:
    return (subjects.columns(row.subject), row.against, _ORDER.index(row.output))


def _line(rows: Sequence[DriftRow]) -> DriftLine:
    longest = max(row.steps for row in rows)
    some = [row for row in rows if row.steps == longest]
    subject = subjects.columns(some[0].subject)
    points = tuple(DriftPoint(subject, row.against, row.output, row.step, row.max_error) for row in some)
    return DriftLine(subject, some[0].against, some[0].output, points, some[0].lyapunov, some[0].chaotic)


def sheet(lines: Sequence[DriftLine]) -> Sheet:
    """The table of the page and of Markdown."""
    keys = ("Model / form", "Cell", "Runtime", "Beside", "Output")
    values = (*(f"Step {step:,}" for step in STEPS), "Chaotic")
    rows, before = [], None
    for line in lines:
        names = (wording.export(line.subject), line.subject.cell, wording.engine(line.subject))
        cells = (*map(line.at, STEPS), _chaos(line))
        rows.append(Row((*names, _AGAINST[line.against], line.output), cells, first=line.subject != before))
        before = line.subject
    return Sheet("drift", "Drift", TITLE, _NOTE, keys, values, tuple(rows))


def terminal_table(rows: Iterable[DriftRow]) -> TerminalTable:
    """The same for a terminal."""
    columns = ("export · runtime", "output", *(f"{step:,}" for step in STEPS), "chaotic")
    lines = [
        (subject_name(line.subject), _output(line), *map(line.at, STEPS), "YES" if line.chaotic else "no")
        for line in drift_lines(rows)
    ]
    return TerminalTable(f"{TITLE}: the largest error after so many steps", columns, lines)


def _output(line: DriftLine) -> str:
    return line.output if line.against == "file" else f"{line.output}, trained"


def _chaos(line: DriftLine) -> str:
    return f"{'YES' if line.chaotic else 'no'}, λ {line.lyapunov:+.3f}"
