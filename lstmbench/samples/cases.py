"""What all processes of a case took, or why it has no number."""

from collections.abc import Iterable, Sequence
from statistics import median_low
from typing import NamedTuple

from lstmbench.records import Load, Measurement, Subject, Timing, Workload
from lstmbench.samples.quantiles import quantile_s

LEAST_PROCESSES = 6  # of an interval at 95 %


class Case(NamedTuple):
    """One workload on one subject."""

    subject: Subject
    workload: Workload
    timings: tuple[Timing, ...]  # of each process, in the order in which they ran; none where it was refused
    refused: str
    processes: tuple[int, ...] = ()  # their numbers
    twin: bool = False  # the same case once more, under another name

    @property
    def parts_s(self) -> list[tuple[float, ...]]:
        """The samples of each process."""
        return [timing.sample_s for timing in self.timings]

    @property
    def repeats(self) -> int:
        """Calls of a sample, at most; over 1, samples are means, and of single calls they tell the median alone."""
        return max((timing.repeats for timing in self.timings), default=1)

    def quantile_s(self, q: float) -> float | None:
        """Of single calls; None where the samples do not carry it, or are means, whose tails are not those of calls."""
        return tail_of(self.parts_s, q) if self.repeats == 1 else None

    @property
    def passes(self) -> dict[tuple[Load, int], Timing]:
        """The timings by command and number: processes of one number in one command took turns."""
        return {(timing.session, n): timing for timing, n in zip(self.timings, self.processes, strict=True)}

    @property
    def medians_s(self) -> list[float]:
        """The median of each process, a time that was observed: the lower of two in the middle."""
        return [median_low(part) for part in self.parts_s]

    @property
    def median_s(self) -> float | None:
        """The median of the processes' medians, which their interval holds; None where nothing carries it."""
        return median_of(self.parts_s)


def median_of(parts_s: Sequence[Sequence[float]]) -> float | None:
    """The median of the medians of parts, each a process's samples; None where nothing carries it.

    Six processes do, which have an interval, or as many samples as any median needs.
    """
    carried = len(parts_s) >= LEAST_PROCESSES or (parts_s and quantile_s(parts_s, 0.5) is not None)
    return median_low(median_low(part) for part in parts_s) if carried else None


def tail_of(parts_s: Sequence[Sequence[float]], q: float) -> float | None:
    """A quantile above the median, which stands beside it: None where nothing carries that one, too."""
    return None if median_of(parts_s) is None else quantile_s(parts_s, q)


def cases(measurements: Iterable[Measurement]) -> list[Case]:
    """Put the processes of each case together; one that failed in any of them has no number."""
    known = dict[tuple[Subject, Workload, bool], list[Measurement]]()
    for row in measurements:
        known.setdefault((row.subject, row.workload, row.twin), []).append(row)
    return [_case(*case, rows) for case, rows in known.items()]


def _case(subject: Subject, workload: Workload, twin: bool, rows: list[Measurement]) -> Case:
    refused = next((row.refused for row in rows if row.refused), "")
    timed = {row.process: row.timing for row in sorted(rows, key=lambda row: row.process) if row.timing and not refused}
    return Case(subject, workload, tuple(timed.values()), refused, tuple(timed), twin)
