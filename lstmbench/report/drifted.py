"""`drift.md` and its chart: a run that holds long runs and was not timed, drawn from the raw rows alone."""

from collections.abc import Iterator, Sequence
from pathlib import Path

from lstmbench import disk
from lstmbench.errors import RecordError
from lstmbench.records import DriftRow, Machine
from lstmbench.report import extra, summary, wording
from lstmbench.report.drift import TITLE, DriftLine, drift_lines, sheet, terminal_table
from lstmbench.report.markdown import escape, table
from lstmbench.report.terminal import TerminalTable
from lstmbench.runfolder import DRIFT, MACHINE, MEASUREMENTS

PAGE = "drift.md"


def drifted_alone(run: Path) -> bool:
    """Whether long runs are what the folder has to show: nothing was timed there."""
    return (run / DRIFT).is_file() and not (run / MEASUREMENTS).is_file()


def render_drift(run: Path) -> tuple[Path, TerminalTable]:
    """Write `drift.md` and `charts/drift.svg` and `.png`; the same bytes from the same files -> page, and the table.

    RecordError where a raw file is missing or damaged, RuntimeMissingError without the extra 'report'.
    """
    extra.demand()
    from lstmbench.report import drawing, figures, look  # altair takes a second to import

    rows = disk.read_journal(run / DRIFT, DriftRow)
    if not rows:
        raise RecordError(f"{run} holds no whole line of {DRIFT} yet; make long runs with 'lstmbench check --drift'")
    lines, machine = drift_lines(rows), disk.read_record(run / MACHINE, Machine)
    drawn = list(figures.drift_figures(lines, look.look(line.subject for line in lines)))
    for figure in drawn:
        svg = drawing.beside(figure.panels, title=figure.title, caption=figure.caption)
        disk.make_folder(run / "charts")
        disk.write_atomically(run / f"charts/{figure.name}.svg", svg.encode())
        disk.write_atomically(run / f"charts/{figure.name}.png", drawing.png(svg))
    charts = [
        line for figure in drawn for line in (f"![{figure.title}](charts/{figure.name}.png)", "", figure.caption, "")
    ]
    disk.write_atomically(run / PAGE, ("\n".join(_lines(lines, machine, charts)) + "\n").encode())
    return run / PAGE, terminal_table(rows)


def _lines(lines: Sequence[DriftLine], machine: Machine, charts: Sequence[str]) -> Iterator[str]:
    longest = max(line.points[-1].step for line in lines)
    engines = ", ".join(sorted({wording.engine(line.subject) for line in lines}))
    yield from (f"# {TITLE}", "", f"{longest:,} steps. Machine: {escape(summary.place_and_time(machine))}", "")
    yield from (f"Runtimes: {escape(engines)}", "", *charts)
    drawn = sheet(lines)
    yield from (escape(drawn.note), "", *table(drawn))
