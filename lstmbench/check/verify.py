"""Every export on every runtime."""

from collections.abc import Iterator, Sequence
from pathlib import Path

from lstmbench import runfolder
from lstmbench.check.cases import DEFAULT_SHAPES, plan
from lstmbench.check.examine import Progress, Task, examine
from lstmbench.check.ledger import Ledger
from lstmbench.check.oracle import Oracle
from lstmbench.check.outcome import CheckReport
from lstmbench.errors import LstmbenchError
from lstmbench.records import ExportedModel
from lstmbench.runtimes import available, load


def check(
    exported: Sequence[ExportedModel],
    runtimes: Sequence[str],
    *,
    run: Path,
    threads: int = 1,
    shapes: Sequence[tuple[int, int]] = DEFAULT_SHAPES,
    progress: Progress,
) -> CheckReport:
    """Compare outputs and states with the float64 reference at every shape (B, T), whole and in pieces.

    Rows go to `run` a case at a time; cases that passed there before, of the same file on the same version with as
    many threads, are not run again.
    """
    _demand(exported, runtimes, threads)
    tasks = list(_tasks(exported, runtimes, threads, shapes))
    with runfolder.opened(run):
        ledger = Ledger(run)
        clearances = tuple(examine(task, ledger, progress) for task in tasks)
        rows = [ledger.rows(c.subject, task.cases) for task, c in zip(tasks, clearances, strict=True)]
    return CheckReport(rows=tuple(row for some in rows for row in some), clearances=clearances)


def _tasks(
    exported: Sequence[ExportedModel], runtimes: Sequence[str], threads: int, shapes: Sequence[tuple[int, int]]
) -> Iterator[Task]:
    for model in dict.fromkeys(exported):
        oracle, cases = Oracle(model), plan(shapes, bidirectional=model.model.bidirectional)
        for runtime in dict.fromkeys(runtimes):
            yield Task(model, oracle, cases, runtime, threads)


def _demand(exported: Sequence[ExportedModel], runtimes: Sequence[str], threads: int) -> None:
    if not exported:
        raise LstmbenchError("nothing to check: give at least one exported model; make one with 'lstmbench export'")
    here = available()
    if not runtimes:
        raise LstmbenchError(f"nothing to check on: give at least one runtime; here: {', '.join(here)}")
    if threads < 1:
        raise LstmbenchError(f"cannot run on {threads} threads: give 1 or more")
    for name in runtimes:
        if name not in here and ":" not in name:
            load(name)  # says what is missing, and imports nothing for that
