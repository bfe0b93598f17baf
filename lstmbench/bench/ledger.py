"""`measurements.jsonl`: one row a case."""

from pathlib import Path

from lstmbench import runfolder
from lstmbench.journal import Journal
from lstmbench.records import Clearance, Machine, Measurement, Subject, Workload


class Ledger:
    """What is known of each subject and workload on this machine."""

    def __init__(self, run: Path, *, session: Machine) -> None:
        self.session = session
        self._journal = Journal(run / runfolder.MEASUREMENTS, Measurement, key=_case)

    def rows(self, subject: Subject, workload: Workload) -> tuple[Measurement, ...]:
        """The row of a case, or none."""
        return self._journal.rows((subject.identity, workload))

    def timed(self, subject: Subject, workload: Workload, *, budget_s: float) -> bool:
        """Whether a case has its samples, taken for so long or longer."""
        return any(row.timing and row.timing.budget_s >= budget_s for row in self.rows(subject, workload))

    def supersede(self, subject: Subject) -> None:
        """Drop the rows of what the subject was before it was made again."""
        self._journal.drop(lambda row: subject.replaces(row.subject))

    def refuse(self, clearance: Clearance, workload: Workload) -> None:
        """Note that a subject is not timed, and why."""
        row = Measurement(
            machine=self.session.fingerprint,
            subject=clearance.subject,
            workload=workload,
            timing=None,
            refused=clearance.refused,
        )
        if self.rows(clearance.subject, workload) != (row,):
            self._journal.put([row])

    def put(self, row: Measurement, *, answered_wrong: bool) -> None:
        """Note what a subject took, or why it has no timing; samples give way to samples and to a wrong answer only."""
        if row.timing or answered_wrong or not any(known.timing for known in self.rows(row.subject, row.workload)):
            self._journal.put([row])


def _case(row: Measurement) -> tuple[Subject, Workload]:
    return row.subject.identity, row.workload
