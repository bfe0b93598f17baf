"""What all processes of a case took, or why it has no number."""

from collections.abc import Iterable
from statistics import median
from typing import NamedTuple

from lstmbench.records import Measurement, Subject, Timing, Workload


class Case(NamedTuple):
    """One workload on one subject."""

    subject: Subject
    workload: Workload
    timings: tuple[Timing, ...]  # of each process, in the order in which they ran; none where it was refused
    refused: str

    @property
    def parts_s(self) -> list[tuple[float, ...]]:
        """The samples of each process."""
        return [timing.sample_s for timing in self.timings]

    @property
    def medians_s(self) -> list[float]:
        """The median of each process."""
        return [median(part) for part in self.parts_s]


def cases(measurements: Iterable[Measurement]) -> list[Case]:
    """Put the processes of each case together; one that failed in any of them has no number."""
    rows = dict[tuple[Subject, Workload], list[Measurement]]()
    for row in measurements:
        rows.setdefault((row.subject, row.workload), []).append(row)
    return [_case(subject, workload, some) for (subject, workload), some in rows.items()]


def _case(subject: Subject, workload: Workload, rows: list[Measurement]) -> Case:
    refused = next((row.refused for row in rows if row.refused), "")
    ordered = sorted(rows, key=lambda row: row.process)
    timings = tuple(row.timing for row in ordered if row.timing and not refused)
    return Case(subject, workload, timings, refused)
