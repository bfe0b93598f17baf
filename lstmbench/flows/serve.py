"""Check, then let queries arrive: nothing is served whose output was not checked at that very shape."""

from collections.abc import Callable, Sequence
from pathlib import Path

from lstmbench import runfolder
from lstmbench.check import CheckReport, check
from lstmbench.errors import LstmbenchError
from lstmbench.journal import Journal
from lstmbench.model import stimulus
from lstmbench.records import ArrivalRow, Arrivals, Clearance, ExportedModel, Served, Workload
from lstmbench.worker import Worker


def serve(  # noqa: PLR0913 (what to serve, on what, how, where)
    exported: Sequence[ExportedModel],
    runtimes: Sequence[str],
    asked: Arrivals,
    *,
    run: Path,
    threads: int,
    allow_mixed: bool = False,
    progress: Callable[[str], None],
) -> tuple[CheckReport, list[ArrivalRow]]:
    """Check every export on every runtime, then serve from what passed, one after the other, a fresh process each.

    What `run` holds of the same question is not asked again, unless it was refused.
    """
    workload = Workload(kind="score", batch=asked.batch, time=asked.time)
    fitting = [one for one in exported if workload.fits(one)]
    if not fitting:
        raise LstmbenchError(f"no export here scores rows of T = {asked.time}: give one of another form, or another T")
    checked = check(
        fitting,
        runtimes,
        run=run,
        threads=threads,
        workloads=[workload],
        allow_mixed=allow_mixed,
        progress=progress,
    )
    with runfolder.opened(run) as machine:
        rows = Journal(run / runfolder.ARRIVALS, ArrivalRow, key=lambda row: (row.subject.identity, row.asked))
        for clearance in checked.clearances:
            rows.drop(lambda row, now=clearance.subject: now.replaces(row.subject))  # type: ignore[misc]
            known = rows.rows((clearance.subject.identity, asked))
            if not any(row.served for row in known):
                progress(f"{asked.scenario}: {clearance.exported.name} on {clearance.subject.runtime}")
                rows.put([_row(clearance, asked, machine.fingerprint)])
        cases = [(clearance.subject.identity, asked) for clearance in checked.clearances]
        return checked, [row for case in cases for row in rows.rows(case)]


def _row(clearance: Clearance, asked: Arrivals, machine: str) -> ArrivalRow:
    refused, served = clearance.refused, None
    if clearance.passed:
        try:
            served = _served(clearance, asked)
        except LstmbenchError as error:
            refused = str(error)
    return ArrivalRow(machine=machine, subject=clearance.subject, asked=asked, served=served, refused=refused)


def _served(clearance: Clearance, asked: Arrivals) -> Served:
    inputs = stimulus.inputs(clearance.exported.model, batch=asked.batch, time=asked.time, seed=0)
    with Worker(clearance.subject.runtime, clearance.exported, threads=clearance.subject.threads) as worker:
        return worker.serve(asked, inputs)
