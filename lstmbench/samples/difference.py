"""How much slower one case is than another that took turns with it, and whether that is more than noise."""

import math
from statistics import fmean, stdev
from typing import NamedTuple

from lstmbench.samples.cases import Case

CONFIDENCE = 0.99
LEAST_PASSES = 6


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


def difference(one: Case, other: Case) -> Difference | None:
    """Time of `one` over that of `other`, at 99 %; None where fewer than six processes of theirs took turns.

    Of each pass the ratio of the two processes' medians, in logarithms; Student's t of these. What befalls a pass
    befalls both, what differs between processes is in the spread. If the two are alike, either could have been the
    slower in each pass: the logarithms lie evenly about 0, and heavy tails make the interval too wide, not too narrow.
    """
    ratios = log_ratios(one, other)
    if len(ratios) < LEAST_PASSES:
        return None
    middle, half = fmean(ratios), half_width(stdev(ratios), passes=len(ratios))
    return Difference(math.exp(middle), math.exp(middle - half), math.exp(middle + half))


def log_ratios(one: Case, other: Case) -> list[float]:
    """Of the medians of each pass that both took part in."""
    theirs = other.median_by_pass_s
    return [math.log(s / theirs[n]) for n, s in one.median_by_pass_s.items() if n in theirs]


def half_width(spread: float, *, passes: int, freedom: int = 0) -> float:
    """Of an interval over so many passes; the standard deviation may have been found from more than these."""
    from scipy import stats

    return float(stats.t.ppf((1 + CONFIDENCE) / 2, freedom or passes - 1)) * spread / math.sqrt(passes)
