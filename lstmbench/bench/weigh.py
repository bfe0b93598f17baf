"""Weigh every workload: memory, in a pass of its own that times nothing."""

from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path

import psutil

from lstmbench import runfolder
from lstmbench.bench.entries import Grid
from lstmbench.bench.rounds import Progress
from lstmbench.errors import LstmbenchError, WorkerError
from lstmbench.journal import Journal
from lstmbench.model import demand, stimulus
from lstmbench.records import Clearance, ExportedModel, Precision, Subject, Weight, Workload
from lstmbench.runtimes import from_checkpoint
from lstmbench.worker import Worker


class Scales:
    """`memory.jsonl`, and what is not in it yet."""

    def __init__(self, run: Path, *, machine: str) -> None:
        self._machine = machine
        self._journal = Journal(run / runfolder.MEMORY, Weight, key=_case)

    def weigh_all(self, entries: Grid, progress: Progress) -> None:
        """Weigh what was cleared and is not known: one process a subject, the smaller workloads first."""
        for clearance in dict.fromkeys(e.clearance for row in entries.values() for e in row if e.clearance.passed):
            self._supersede(clearance.subject)
            asked = [w for w, row in entries.items() if any(e.clearance == clearance for e in row)]
            waiting = [w for w in sorted(asked, key=_size) if not self._knows(clearance.subject, w)]
            if waiting:
                progress(f"weighing {clearance.exported.name} on {clearance.subject.runtime}")
                for row in self._weigh(clearance, waiting):
                    self._journal.put([row])

    def _supersede(self, subject: Subject) -> None:
        self._journal.drop(lambda row: subject.replaces(row.subject))

    def _knows(self, subject: Subject, workload: Workload) -> bool:
        return any(not row.refused for row in self._journal.rows((subject.identity, workload)))

    def _weigh(self, clearance: Clearance, workloads: Sequence[Workload]) -> Iterator[Weight]:
        """A row for each workload; none after the first that failed."""
        exported, subject = clearance.exported, clearance.subject
        held: Precision = "fp32" if from_checkpoint(subject.runtime) else subject.precision
        row = partial(
            Weight,
            machine=self._machine,
            subject=subject,
            file_bytes=_on_disk(exported),
            weight_bytes=demand.weight_bytes(exported.model, held),
        )
        workload = workloads[0]  # that a process which does not load fails at
        try:
            with Worker(subject.runtime, exported, threads=subject.threads) as worker:
                _demand_alone(worker)
                for workload in workloads:
                    inputs = stimulus.inputs(exported.model, batch=workload.batch, time=workload.time, seed=0)
                    found = worker.weigh(workload, inputs)
                    yield row(
                        workload=workload,
                        empty_bytes=found.empty_bytes,
                        idle_bytes=found.idle_bytes,
                        peak_bytes=found.peak_bytes,
                    )
        except LstmbenchError as error:
            yield row(workload=workload, refused=str(error))


def _demand_alone(worker: Worker) -> None:
    """WorkerError where the engine is in a process that the worker started: weighed, the worker would look small."""
    if _started_by(worker.pid):
        raise WorkerError("it computes in another process than the one that is weighed")


def _started_by(pid: int) -> bool:
    return bool(psutil.Process(pid).children())


def _on_disk(exported: ExportedModel) -> int | None:
    """Bytes of the file, and of the data beside it; None if it is gone."""
    data = exported.record.data
    try:
        return exported.path.stat().st_size + (data.size_bytes if data else 0)
    except OSError:
        return None


def _size(workload: Workload) -> tuple[int, int, int]:
    """In the order in which workloads take more memory."""
    return (workload.tokens_per_sample, workload.batch, workload.time)


def _case(row: Weight) -> tuple[Subject, Workload]:
    return row.subject.identity, row.workload
