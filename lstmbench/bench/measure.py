"""Time every workload on everything that passed its check; on disk as soon as it is known."""

import contextlib
from collections.abc import Mapping, Sequence
from pathlib import Path

import msgspec
import numpy as np

from lstmbench import runfolder
from lstmbench.bench.contender import Contender
from lstmbench.bench.effort import Effort
from lstmbench.bench.ledger import Ledger
from lstmbench.bench.rounds import Progress, interleave
from lstmbench.errors import LstmbenchError
from lstmbench.records import Clearance, Load, Measurement, Workload


def bench(
    clearances: Sequence[Clearance],
    workloads: Sequence[Workload],
    *,
    run: Path,
    effort: Effort,
    began: Load,
    progress: Progress,
) -> list[Measurement]:
    """Raw samples of each process of each workload and subject, or why there are none; head `layer` has no `decode`.

    All contenders are loaded in processes of their own, take all workloads, and end, as many times as effort says: what
    differs from process to process is then in the samples. A case that fails is not tried in the processes that follow.
    Timings that `run` holds already are kept, unless they were taken for a shorter time and the new ones succeed; what
    was refused is tried again. `began`: the machine's load before the check that cleared them.
    """
    if not clearances or not workloads:
        raise LstmbenchError("nothing to time: give at least one checked export and one workload")
    grid = {w: [c for c in dict.fromkeys(clearances) if w.fits(c.exported)] for w in workloads}
    with runfolder.opened(run) as machine:
        ledger = Ledger(run, session=msgspec.structs.replace(machine, before=began))
        for clearance in clearances:
            ledger.supersede(clearance.subject)
        for clearance, workload in ((c, w) for w, row in grid.items() for c in row if not c.passed):
            ledger.refuse(clearance, workload)
        rng, lost = np.random.default_rng(effort.seed), list[Measurement]()
        for process in range(effort.processes):
            failed = {(row.subject, row.workload) for row in lost}
            waiting = {w: [c for c in row if c.passed and (c.subject, w) not in failed] for w, row in grid.items()}
            lost += _time(waiting, ledger, process=process, effort=effort, rng=rng, progress=progress)
    kept = [measured for w, row in grid.items() for c in row for measured in ledger.rows(c.subject, w)]
    return kept + [row for row in lost if row not in kept]


def _time(
    wanted: Mapping[Workload, Sequence[Clearance]],
    ledger: Ledger,
    *,
    process: int,
    effort: Effort,
    rng: np.random.Generator,
    progress: Progress,
) -> list[Measurement]:
    """Time in one process a contender what has no samples yet -> the rows that have none after all.

    Each process begins with another workload: a first call in a fresh one is then known of several.
    """

    def waits(clearance: Clearance, workload: Workload) -> bool:
        return not ledger.timed(clearance.subject, workload, process, budget_s=effort.process_budget_s)

    order = [*wanted][process % len(wanted) :] + [*wanted][: process % len(wanted)]
    waiting = {w: [c for c in wanted[w] if waits(c, w)] for w in order}
    lost, part = list[Measurement](), f"process {process + 1} of {effort.processes}"
    with contextlib.ExitStack() as processes:
        contenders = {}
        for clearance in dict.fromkeys(c for row in waiting.values() for c in row):
            progress(f"{part}: loading {clearance.exported.name} on {clearance.subject.runtime}")
            contenders[clearance] = processes.enter_context(Contender(clearance))
            contenders[clearance].load()  # all before the first is timed: loading takes a core
        for workload, row in waiting.items():
            running = [contenders[clearance] for clearance in row]
            interleave(running, workload, effort, rng=rng, progress=lambda line: progress(f"{part}: {line}"))
            origin_s = min((contender.first_start_s for contender in running), default=0.0)
            for contender in running:
                measured = contender.measurement(
                    workload, effort, process=process, session=ledger.session, origin_s=origin_s
                )
                ledger.put(measured, answered_wrong=contender.answered_wrong)
                lost += [measured] if measured.refused else []
    return lost
