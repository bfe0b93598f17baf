"""A run's folder: one machine, one writer at a time; `machine.json` is completed when the writer leaves."""

import contextlib
from collections.abc import Iterator
from pathlib import Path

import msgspec

from lstmbench import disk, machine
from lstmbench.errors import RecordError
from lstmbench.records import Machine, Measurement

MACHINE, PARITY, MEASUREMENTS = "machine.json", "parity.jsonl", "measurements.jsonl"
MEMORY, ROOFLINE, ARRIVALS, COSTS = "memory.jsonl", "roofline.jsonl", "arrivals.jsonl", "costs.jsonl"
PROBES, BISECT, DRIFT, EVALUATIONS = "probes.jsonl", "bisect.jsonl", "drift.jsonl", "evaluations.jsonl"
BASELINE, INSTALLS = "baseline.jsonl", "installs.jsonl"


@contextlib.contextmanager
def opened(run: Path) -> Iterator[Machine]:
    """Hold the folder for writing; DiskError if another process does, RecordError if it is another machine's.

    Yields the machine as it is now; the file keeps the load that was there when its first row was made.
    """
    disk.make_folder(run)
    with disk.locked(run):
        now = machine.observe()
        whole = _claim(run, now)
        disk.write_record(run / MACHINE, whole)
        try:
            yield now
        finally:
            disk.write_record(run / MACHINE, machine.after(whole))


def _claim(run: Path, here: Machine) -> Machine:
    """Where we are, with the load that was there when the first row was made."""
    owners = {row.machine for row in disk.read_journal(run / MEASUREMENTS, Measurement)}
    before = here.before
    if (run / MACHINE).exists():
        first = disk.read_record(run / MACHINE, Machine)
        owners.add(first.fingerprint)
        before = first.before
    for other in sorted(owners - {here.fingerprint}):
        raise RecordError(f"{run} holds rows of another machine ({other}), this is {here.fingerprint}: choose another")
    return msgspec.structs.replace(here, before=before)
