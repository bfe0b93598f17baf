"""What a check found."""

from lstmbench.records import Clearance, ParityRow, Record


class CheckReport(Record, frozen=True, kw_only=True):
    """Every row of every subject, and one clearance for each."""

    rows: tuple[ParityRow, ...]
    clearances: tuple[Clearance, ...]

    @property
    def passed(self) -> bool:
        """Whether every subject may be measured."""
        return all(clearance.passed for clearance in self.clearances)

    def failures(self) -> tuple[ParityRow, ...]:
        """The rows that are out of bound, and those whose answer never came."""
        return tuple(row for row in self.rows if not row.passed)
