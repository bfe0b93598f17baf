"""`measurements.jsonl`: one row for each process of a case."""

from pathlib import Path

import msgspec

from lstmbench import runfolder
from lstmbench.journal import Journal
from lstmbench.records import Clearance, Machine, Measurement, Subject, Workload


class Ledger:
    """What is known of each subject and workload on this machine."""

    def __init__(self, run: Path, *, session: Machine) -> None:
        self.session = session
        self._journal = Journal(run / runfolder.MEASUREMENTS, Measurement, key=_case)
        # of each subject and workload, the processes that were ever noted: a run has thousands of rows
        self._processes: dict[tuple[Subject, Workload], dict[tuple[int, bool], None]] = {}
        for row in self._journal:
            self._remember(row)

    def rows(self, subject: Subject, workload: Workload) -> tuple[Measurement, ...]:
        """The rows of a case, one for each of its processes so far."""
        case = (subject.identity, workload)
        noted = self._processes.get(case, ())
        return tuple(row for process in noted for row in self._journal.rows((*case, *process)))

    def timed(self, subject: Subject, workload: Workload, process: int, *, twin: bool, budget_s: float) -> bool:
        """Whether a process of a case has its samples, taken for so long or longer."""
        rows = self._journal.rows((subject.identity, workload, process, twin))
        return any(row.timing and row.timing.budget_s >= budget_s for row in rows)

    def supersede(self, subject: Subject) -> None:
        """Drop the rows of what the subject was before it was made again."""
        self._journal.drop(lambda row: subject.replaces(row.subject))

    def refuse(self, clearance: Clearance, workload: Workload) -> None:
        """Note that a subject is not timed, and why."""
        row = Measurement(
            machine=self.session.fingerprint,
            subject=clearance.subject,
            workload=workload,
            process=0,
            timing=None,
            refused=clearance.refused,
        )
        if self.rows(clearance.subject, workload) != (row,):
            self._take_the_place_of_all(row)

    def put(self, row: Measurement) -> None:
        """Note what a process took, or why it has no samples; samples give way to samples and to a wrong answer only.

        Samples take the place of what was refused before in whatever process, a wrong answer that of the whole case,
        of its twin too.
        """
        known = [other for other in self.rows(row.subject, row.workload) if other.twin == row.twin]
        if row.wrong:
            self._take_the_place_of_all(row)
        elif row.timing:
            if any(other.refused for other in known):
                self._journal.drop(lambda other: bool(other.refused) and other in known)
            self._put(row)
        elif not any(other.timing and other.process == row.process for other in known):
            self._put(row)

    def forget_refusals(self, subject: Subject, workload: Workload, *, behind: int) -> None:
        """Drop what was refused in processes that are not asked for any more, and so are not tried again."""
        case = (subject.identity, workload)
        self._journal.drop(
            lambda row: (row.subject.identity, row.workload) == case and bool(row.refused) and row.process >= behind
        )

    def _take_the_place_of_all(self, row: Measurement) -> None:
        known = self.rows(row.subject, row.workload)
        self._journal.drop(lambda other: other in known)
        self._put(msgspec.structs.replace(row, twin=False))

    def _put(self, row: Measurement) -> None:
        self._journal.put([row])
        self._remember(row)

    def _remember(self, row: Measurement) -> None:
        self._processes.setdefault((row.subject.identity, row.workload), {})[row.process, row.twin] = None


def _case(row: Measurement) -> tuple[Subject, Workload, int, bool]:
    return row.subject.identity, row.workload, row.process, row.twin
