"""One pass: every contender in a fresh process, all workloads in turn."""

import contextlib

import numpy as np

from lstmbench.bench.contender import Contender
from lstmbench.bench.effort import Effort
from lstmbench.bench.entries import Entry, Grid
from lstmbench.bench.ledger import Ledger
from lstmbench.bench.rounds import Progress, interleave
from lstmbench.records import Measurement, Workload


def take_pass(
    entries: Grid, ledger: Ledger, *, process: int, effort: Effort, rng: np.random.Generator, progress: Progress
) -> list[Measurement]:
    """Time what has no samples of this pass yet -> the rows that have none after all.

    Each pass begins with another workload: a first call in a fresh process is then known of several.
    """

    def waits(entry: Entry, workload: Workload) -> bool:
        subject, budget_s = entry.clearance.subject, effort.budget_s
        return not ledger.timed(subject, workload, process, twin=entry.twin, budget_s=budget_s)

    def say(line: str) -> None:
        progress(f"process {process + 1} of {effort.processes}: {line}")

    first = process % len(entries)
    order = [*entries][first:] + [*entries][:first]
    waiting = {w: [entry for entry in entries[w] if waits(entry, w)] for w in order}
    if effort.in_turn:
        waiting = {w: [*entries[w]] if some else [] for w, some in waiting.items()}
    lost = list[Measurement]()
    turn = process if effort.in_turn else None
    with contextlib.ExitStack() as processes:
        contenders = {}
        for entry in dict.fromkeys(entry for row in waiting.values() for entry in row):
            say(f"loading {entry.clearance.exported.name} on {entry.clearance.subject.runtime}")
            contenders[entry] = processes.enter_context(Contender(entry.clearance, twin=entry.twin, turn=turn))
            contenders[entry].load()  # all before the first is timed: loading takes a core
        for workload, those in waiting.items():
            running = [contenders[entry] for entry in those]
            interleave(running, workload, effort, rng=rng, progress=say)
            origin_s = min((contender.first_start_s for contender in running), default=0.0)
            rows = [
                contender.measurement(workload, effort, process=process, session=ledger.session, origin_s=origin_s)
                for contender in running
            ]
            for row in sorted(rows, key=lambda row: row.wrong):  # a wrong answer last: it takes its twin's samples too
                ledger.put(row)
            lost += [row for row in rows if row.refused]
    return lost
