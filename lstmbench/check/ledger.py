"""`parity.jsonl`: one row for each output of a case; an interrupted check goes on, what failed is run again."""

from collections.abc import Iterable
from pathlib import Path
from typing import TypeAlias

from lstmbench import runfolder
from lstmbench.check.case import Case
from lstmbench.journal import Journal
from lstmbench.records import ParityRow, Subject

Rows: TypeAlias = tuple[ParityRow, ...]


class Ledger:
    """What is known of each subject and case."""

    def __init__(self, run: Path) -> None:
        self._journal = Journal(run / runfolder.PARITY, ParityRow, key=_case)

    def rows(self, subject: Subject, cases: Iterable[Case]) -> Rows:
        """What is known of these cases."""
        return tuple(row for case in cases for row in self._journal.rows((subject.identity, case)))

    def passed(self, subject: Subject, case: Case) -> bool:
        """Whether all three outputs were within their bounds; a kill between two rows leaves fewer."""
        rows = self.rows(subject, [case])
        return len(rows) == 3 and all(row.passed for row in rows)

    def failed(self, subject: Subject) -> tuple[Case, ...]:
        """The cases, of whatever plan, that stand as failed: they decide what tables say, so they are run again."""
        rows = (row for row in self._journal if row.subject.identity == subject.identity and not row.passed)
        return tuple(dict.fromkeys(_case(row)[1] for row in rows))

    def put(self, rows: Rows) -> None:
        """Note the outcome of a case, in place of an earlier one."""
        self._journal.put(rows)

    def supersede(self, subject: Subject) -> None:
        """Drop the rows of what the subject was before it was made again."""
        self._journal.drop(lambda row: subject.replaces(row.subject))


def _case(row: ParityRow) -> tuple[Subject, Case]:
    return row.subject.identity, Case.of(row)
