"""What is odd about the samples of a case, in words; nothing where nothing is."""

from collections.abc import Iterator, Sequence
from itertools import pairwise

import numpy as np

from lstmbench.samples.cases import Case

_LEAST_PROCESSES = 6  # of identical ones, so many stand in order of time once in 360 times
_DRIFT = 0.02  # from the first process to the last
_STOLEN = 0.05  # of the time of all processors
_FALLEN = 0.9  # of the highest clock
_TAKEN = 0.1  # of the time of a single thread
_APART, _SHARE, _VALLEY = 0.1, 0.2, 0.05  # of two groups: their medians, the smaller one, what lies between
_LEAST_OF_GROUPS = 40


def remarks(case: Case) -> tuple[str, ...]:
    """Reasons to doubt a case.

    Means of calls, a warm-up that was too short, drift, two groups of times; and what the machine did: time stolen by a
    hypervisor, a clock that fell, more threads than given, other work on its processor.
    """
    return tuple(_remarks(case))


def _remarks(case: Case) -> Iterator[str]:
    if case.repeats > 1:
        each = sorted({timing.repeats for timing in case.timings})
        several = f"{each[0]:,}" if len(each) == 1 else f"{each[0]:,} to {each[-1]:,}"
        yield f"each sample is the mean of {several} calls, too short for the clock; their quantiles are not told"
    unsteady = sum(timing.steady is False for timing in case.timings)
    if unsteady:
        yield f"not steady after the warm-up in {unsteady} of {len(case.timings)} processes"
    if drift := _drift(case.medians_s):
        yield f"drifts by {drift:+.0%} from process to process"
    groups = two_groups([sample for part in case.parts_s for sample in part])
    if groups:
        yield f"two groups of times, {groups[1] / groups[0] - 1:.0%} apart"
    if (cores := _cores(case)) > case.subject.threads * (1 + _TAKEN):
        yield f"ran on {cores:.1f} cores at a time, given {case.subject.threads}"
    if stolen := _stolen(case):
        yield f"the hypervisor gave {stolen:.0%} of the processors' time to others"
    if clocks := _throttled(case):
        yield f"throttled: the processor's clock fell to {clocks[0]:,.0f} of {clocks[1]:,.0f} MHz"
    taken = _taken(case)
    if taken is not None and taken > _TAKEN:
        yield f"other work took {taken:.0%} of its time"


def _drift(medians_s: Sequence[float]) -> float:
    """The change from first to last where every process was slower than the one before, or every one faster."""
    signs = {after > before for before, after in pairwise(medians_s)}
    if len(medians_s) < _LEAST_PROCESSES or len(signs) != 1:
        return 0.0
    change = medians_s[-1] / medians_s[0] - 1
    return change if abs(change) > _DRIFT else 0.0


def two_groups(samples: Sequence[float]) -> tuple[float, float] | None:
    """The medians of two groups of times with next to nothing between them; None where there is one group.

    The split is the one that leaves the least variance within (Otsu, IEEE Trans. SMC 9, 1979).
    """
    x, n = np.sort(np.asarray(samples, np.float64)), len(samples)
    if n < _LEAST_OF_GROUPS:
        return None
    below, sums = np.arange(1, n), np.cumsum(x)[:-1]
    between = below * (n - below) * (sums / below - (x.sum() - sums) / (n - below)) ** 2
    split = int(between.argmax()) + 1
    low, high = float(np.median(x[:split])), float(np.median(x[split:]))
    third = (high - low) / 3
    inside = np.count_nonzero((x > low + third) & (x < high - third)) / n
    told = min(split, n - split) >= _SHARE * n and high > low * (1 + _APART) and inside < _VALLEY
    return (low, high) if told else None


def _cores(case: Case) -> float:
    """Processor time of all threads over wall time: more than the threads that were given to it took some besides."""
    wall_s = sum(timing.wall_s for timing in case.timings)
    return sum(timing.cpu_s for timing in case.timings) / wall_s if wall_s else 0.0


def _stolen(case: Case) -> float | None:
    """The mean of its processes, where it is worth a word."""
    known = [timing.stolen for timing in case.timings if timing.stolen is not None]
    share = sum(known) / len(known) if known else 0.0
    return share if share > _STOLEN else None


def _throttled(case: Case) -> tuple[float, float] | None:
    """The lowest and the highest clock that its processes saw, where they lie so far apart."""
    clocks = [timing.cpu_mhz for timing in case.timings if timing.cpu_mhz]
    return (min(clocks), max(clocks)) if clocks and min(clocks) < _FALLEN * max(clocks) else None


def _taken(case: Case) -> float | None:
    """The share of wall time in which a single thread did not run; unknown of several threads."""
    wall_s = sum(timing.wall_s for timing in case.timings)
    if case.subject.threads != 1 or not wall_s:
        return None
    return 1 - sum(timing.cpu_s for timing in case.timings) / wall_s
