"""How much slower one case is than another that took turns with it, and whether that is more than noise."""

import math
from collections.abc import Sequence
from itertools import accumulate
from statistics import fmean, median, stdev
from typing import NamedTuple

from lstmbench.records import Timing
from lstmbench.samples.cases import Case
from lstmbench.samples.quantiles import order_statistic

CONFIDENCE = 0.99
LEAST_PASSES = 6
_TRIMMED_FROM = 10


class Difference(NamedTuple):
    """Times of one case over those of another, with the ends of its interval."""

    ratio: float
    low: float
    high: float

    @property
    def size(self) -> float:
        """How much longer the slower of the two takes: 0.05 is five per cent."""
        return max(self.ratio, 1 / self.ratio) - 1

    @property
    def told(self) -> bool:
        """Whether the interval leaves out 1."""
        return not self.low <= 1 <= self.high


def difference(one: Case, other: Case, *, q: float = 0.5, together: int = 1) -> Difference | None:
    """Time of `one` over that of `other`, at 99 %; None where fewer than six processes of theirs took turns.

    One ratio of each pass, in logarithms; Student's t of these. Of medians it is that of two rounds that followed each
    other, the middle one of all rounds: what befalls a machine for longer than a round falls out. Of other quantiles,
    which a round is too short for, it is that of the two processes. The intervals of so many pairs `together` all hold
    at once (Bonferroni). What befalls a pass befalls both, what differs between processes is in the spread. If the two
    are alike, either could have been the slower in each pass: the logarithms lie evenly about 0, and heavy tails make
    the interval too wide, not too narrow.
    """
    ratios = log_ratios(one, other, q=q)
    if len(ratios) < LEAST_PASSES:
        return None
    centre = centre_of(ratios)
    half = half_width(centre, together=together)
    return Difference(*(math.exp(centre.middle + off) for off in (0, -half, half)))


class Centre(NamedTuple):
    """Where ratios of passes lie, in logarithms; its standard error, and the degrees of freedom of that."""

    middle: float
    error: float
    freedom: int


def centre_of(ratios: Sequence[float]) -> Centre:
    """The mean; from ten passes on without the sixth at each end, so that one pass alone decides nothing.

    The error of a trimmed mean is that of the winsorised values (Tukey and McLaughlin, Sankhya A 25, 1963). By their n
    - 2g - 1 degrees of freedom a 99 % interval of twelve normal values misses 1.4 times in 100, by one less 1.1 times.
    """
    n, ordered = len(ratios), sorted(ratios)
    if n < _TRIMMED_FROM:
        return Centre(fmean(ratios), stdev(ratios) / math.sqrt(n), n - 1)
    g = n // 6
    pulled_in = [min(max(ratio, ordered[g]), ordered[n - g - 1]) for ratio in ratios]
    return Centre(fmean(ordered[g : n - g]), stdev(pulled_in) * math.sqrt(n) / (n - 2 * g), n - 2 * g - 2)


def log_ratios(one: Case, other: Case, *, q: float = 0.5) -> list[float]:
    """Of the q-quantiles of each pass that both took part in."""
    theirs = other.passes
    return [_log_ratio(timing, theirs[n], q) for n, timing in one.passes.items() if n in theirs]


def _log_ratio(one: Timing, other: Timing, q: float) -> float:
    if q != 0.5:
        return math.log(order_statistic(one.sample_s, q) / order_statistic(other.sample_s, q))
    return median(math.log(mine / theirs) for mine, theirs in zip(_medians(one), _medians(other), strict=False))


def _medians(timing: Timing) -> list[float]:
    """Of each round; where both took rounds, one of each follows one of the other."""
    ends = list(accumulate(timing.rounds))
    return [median(timing.sample_s[end - n : end]) for end, n in zip(ends, timing.rounds, strict=True) if n]


def half_width(centre: Centre, *, together: int = 1) -> float:
    """Of the interval of one centre, or of each of so many, which then all hold at once."""
    from scipy import stats

    miss = (1 - CONFIDENCE) / together
    return float(stats.t.isf(miss / 2, centre.freedom)) * centre.error
