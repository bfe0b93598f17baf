"""Put beside every case what the machine could do at best: a pass of its own, once all is timed."""

from collections.abc import Sequence
from pathlib import Path

from msgspec.structs import replace

from lstmbench import runfolder
from lstmbench.bench.entries import Grid
from lstmbench.bench.rounds import Progress
from lstmbench.errors import LstmbenchError
from lstmbench.journal import Journal
from lstmbench.model import demand
from lstmbench.records import Clearance, Precision, Roof, Subject, Workload
from lstmbench.runtimes import from_checkpoint
from lstmbench.worker import Gauge


def find_roofs(entries: Grid, run: Path, *, machine: str, progress: Progress) -> None:
    """Add what `roofline.jsonl` does not know yet: one process for each number of threads."""
    journal = Journal(run / runfolder.ROOFLINE, Roof, key=_case)
    cases = [(e.clearance, w) for w, row in entries.items() for e in row if e.clearance.passed and not e.twin]
    subjects = {clearance.subject for clearance, _ in cases}
    journal.drop(lambda row: bool(row.refused) or any(subject.replaces(row.subject) for subject in subjects))
    needed = [_needed(clearance, workload, machine) for clearance, workload in cases]
    waiting = [row for row in needed if not journal.rows(_case(row))]
    for threads in dict.fromkeys(row.subject.threads for row in waiting):
        progress("measuring the machine's bounds")
        for row in _with_rates([row for row in waiting if row.subject.threads == threads], threads):
            journal.put([row])


def _with_rates(rows: Sequence[Roof], threads: int) -> list[Roof]:
    try:
        with Gauge(threads=threads) as gauge:
            rates = {size: gauge.rates(size) for size in dict.fromkeys(row.weight_bytes for row in rows)}
    except LstmbenchError as error:
        return [replace(row, refused=str(error)) for row in rows]
    best = max(rate.operations_per_s for rate in rates.values())
    found = ((row, rates[row.weight_bytes].bytes_per_s) for row in rows)
    return [replace(row, operations_per_s=best, bytes_per_s=rate, refused="") for row, rate in found]


def _needed(clearance: Clearance, workload: Workload, machine: str) -> Roof:
    subject = clearance.subject
    calls = (1,) if workload.kind == "decode" else workload.chunks  # a sample is one step there
    needs = [demand.of_call(clearance.exported.model, batch=workload.batch, time=time) for time in calls]
    held: Precision = "fp32" if from_checkpoint(subject.runtime) else subject.precision
    return Roof(
        machine=machine,
        subject=subject,
        workload=workload,
        operations=round(sum(need.operations for need in needs) * (1 - workload.padding)),
        in_float32=held == "fp32",
        weight_bytes=int(needs[0].weights * demand.BYTES[held]),
        read_bytes=int(sum(need.reads for need in needs) * demand.BYTES[held]),
        refused="not measured yet",
    )


def _case(row: Roof) -> tuple[Subject, Workload]:
    return row.subject.identity, row.workload
