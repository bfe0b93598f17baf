"""Every export on every runtime."""

import math
from collections.abc import Sequence
from pathlib import Path

from lstmbench import environments, runfolder
from lstmbench.check.cases import plan
from lstmbench.check.examine import Progress, Task, examine
from lstmbench.check.ledger import Ledger
from lstmbench.check.oracle import Oracle
from lstmbench.check.outcome import CheckReport
from lstmbench.errors import LstmbenchError
from lstmbench.records import MOST_THREADS, ExportedModel, Workload
from lstmbench.runtimes import available, from_checkpoint


def check(  # noqa: PLR0913 (what to run, on what, how, where)
    exported: Sequence[ExportedModel],
    runtimes: Sequence[str],
    *,
    run: Path,
    threads: int = 1,
    shapes: Sequence[tuple[int, int]] | None = None,
    workloads: Sequence[Workload] = (),
    allow_mixed: bool = False,
    most_s: float = math.inf,
    progress: Progress,
) -> CheckReport:
    """Compare outputs and states with the float64 reference at every shape (B, T), whole and in pieces.

    Without shapes, at the default ones (`lstmbench.check.cases`). Every row of the embedding is asked too.
    And once as each workload calls: what is timed must be right at that very shape.
    Rows go to `run` a case at a time; cases that passed there before, of the same file on the same version with as
    many threads, are not run again. `most_s`: of one export on one runtime, which is refused beyond it.
    """
    _demand(exported, runtimes, threads)
    oracles = {model: Oracle(model) for model in exported}
    tasks = [
        Task(model, oracles[model], plan(model, shapes, workloads), runtime, threads, allow_mixed, most_s)
        for model, runtime in pairs(exported, runtimes)
    ]
    with runfolder.opened(run):
        ledger = Ledger(run)
        clearances = tuple(examine(task, ledger, progress) for task in tasks)
        rows = [ledger.rows(c.subject, task.cases) for task, c in zip(tasks, clearances, strict=True)]
    return CheckReport(rows=tuple(row for some in rows for row in some), clearances=clearances)


def pairs(exported: Sequence[ExportedModel], runtimes: Sequence[str]) -> list[tuple[ExportedModel, str]]:
    """Every export on every runtime; what computes from the checkpoint runs once for all forms, on the first fp32.

    And once for those that take lengths, and once for those that draw.
    """
    plain = [m for m in reversed(exported) if m.record.precision == "fp32"]
    single = {(m.folder, m.baseline, m.model.head, m.draws, m.record.lengths): m for m in plain}.values()
    pairs = [(m, r) for m in dict.fromkeys(exported) for r in dict.fromkeys(runtimes)]
    pairs = [(m, r) for m, r in pairs if not from_checkpoint(r) or m in single]
    if not pairs:
        names = " and ".join(dict.fromkeys(runtimes))
        raise LstmbenchError(
            f"nothing to check: what computes from the checkpoint, {names}, does so in float32, and no export here is "
            f"fp32; export one"
        )
    return pairs


def _demand(exported: Sequence[ExportedModel], runtimes: Sequence[str], threads: int) -> None:
    if not exported:
        raise LstmbenchError("nothing to check: give at least one exported model; make one with 'lstmbench export'")
    if not runtimes:
        raise LstmbenchError(f"nothing to check on: give at least one runtime; here: {', '.join(available())}")
    if not 1 <= threads <= MOST_THREADS:
        raise LstmbenchError(f"cannot run on {threads} threads: give 1 to {MOST_THREADS}")
    _demand_own_names(exported)
    for name in runtimes:
        environments.demand(name)


def _demand_own_names(exported: Sequence[ExportedModel]) -> None:
    """Rows are known by `<model>/<form>-<precision>`: two files of one name would take each other's for their own."""
    named: dict[str, ExportedModel] = {}
    for model in exported:
        other = named.setdefault(model.name, model)
        if other.record.sha256 != model.record.sha256:
            raise LstmbenchError(
                f"{other.path} and {model.path} are different files with one name, {model.name!r}: rename a folder, or "
                f"give each a run of its own with --out"
            )
