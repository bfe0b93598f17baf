"""`measurements.jsonl`: one row a case."""

from pathlib import Path

import msgspec

from lstmbench import runfolder
from lstmbench.journal import Journal
from lstmbench.records import Clearance, Measurement, Subject, Workload


class Ledger:
    """What is known of each subject and workload on this machine."""

    def __init__(self, run: Path, *, machine: str) -> None:
        self.machine = machine  # its fingerprint
        self._journal = Journal(run / runfolder.MEASUREMENTS, Measurement, key=_case)

    def rows(self, subject: Subject, workload: Workload) -> tuple[Measurement, ...]:
        """The row of a case, or none."""
        return self._journal.rows((subject.identity, workload))

    def timed(self, subject: Subject, workload: Workload) -> bool:
        """Whether a case has its samples."""
        return any(row.timing for row in self.rows(subject, workload))

    def refuse(self, clearance: Clearance, workload: Workload) -> None:
        """Note that a subject is not timed, and why."""
        row = Measurement(
            machine=self.machine,
            subject=clearance.subject,
            workload=workload,
            timing=None,
            refused=clearance.refused,
        )
        if self.rows(clearance.subject, workload) != (row,):
            self._journal.put([row])

    def put(self, row: Measurement) -> None:
        """Note what a subject took; it replaces a refusal, also one from a load that failed before it had a version."""
        unloaded = msgspec.structs.replace(row.subject.identity, runtime_version="")
        self._journal.drop((unloaded, row.workload))
        self._journal.put([row])


def _case(row: Measurement) -> tuple[Subject, Workload]:
    return row.subject.identity, row.workload
