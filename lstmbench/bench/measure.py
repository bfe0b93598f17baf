"""Time every workload on everything that passed its check; on disk as soon as it is known."""

from collections.abc import Sequence
from pathlib import Path

import msgspec
import numpy as np

from lstmbench import runfolder
from lstmbench.bench.costs import keep_costs
from lstmbench.bench.effort import Effort
from lstmbench.bench.entries import Grid, grid
from lstmbench.bench.ledger import Ledger
from lstmbench.bench.passes import take_pass
from lstmbench.bench.roofs import find_roofs
from lstmbench.bench.rounds import Progress
from lstmbench.bench.weigh import Scales
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
    differs from process to process is then in the samples. One of them is there twice, as its own twin. A case that
    fails is not tried in the processes that follow. Timings that `run` holds already are kept, unless they were taken
    for a shorter time and the new ones succeed; what was refused is tried again. `began`: the machine's load before the
    check that cleared them.
    """
    if not clearances or not workloads:
        raise LstmbenchError("nothing to time: give at least one checked export and one workload")
    entries = grid(clearances, workloads, twins=effort.twins)
    with runfolder.opened(run) as machine:
        ledger = Ledger(run, session=msgspec.structs.replace(machine, before=began))
        _refuse(entries, ledger, processes=effort.processes)
        rng, lost = np.random.default_rng(effort.seed), list[Measurement]()
        for process in range(effort.processes):
            left = _without(entries, lost)
            lost += take_pass(left, ledger, process=process, effort=effort, rng=rng, progress=progress)
        keep_costs(clearances, run)
        if effort.weigh:
            left = _without(entries, lost)
            Scales(run, machine=machine.fingerprint).weigh_all(left, progress)
            find_roofs(left, run, machine=machine.fingerprint, progress=progress)
    pairs = dict.fromkeys((entry.clearance.subject, w) for w, row in entries.items() for entry in row)
    kept = [measured for subject, workload in pairs for measured in ledger.rows(subject, workload)]
    return kept + [row for row in lost if row not in kept]


def _refuse(entries: Grid, ledger: Ledger, *, processes: int) -> None:
    """Forget what was made again since and what is not tried again; note what did not pass its check."""
    for clearance in dict.fromkeys(entry.clearance for row in entries.values() for entry in row):
        ledger.supersede(clearance.subject)
    for workload, row in entries.items():
        for clearance in dict.fromkeys(entry.clearance for entry in row):
            ledger.forget_refusals(clearance.subject, workload, behind=processes)
            if not clearance.passed:
                ledger.refuse(clearance, workload)


def _without(entries: Grid, lost: Sequence[Measurement]) -> Grid:
    """What may still be timed: cleared, and not lost in an earlier pass; who answered wrong is out with its twin."""
    gone = {(row.subject, row.workload, twin) for row in lost for twin in ({True, False} if row.wrong else {row.twin})}
    return {
        w: [e for e in row if e.clearance.passed and (e.clearance.subject, w, e.twin) not in gone]
        for w, row in entries.items()
    }
