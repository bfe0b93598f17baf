"""Order statistics, and the counts below which a quantile is not said."""

import math
from collections.abc import Sequence
from fractions import Fraction

import numpy as np

from lstmbench.samples.effective import effective_size

CONFIDENCE = 0.99  # one-sided


def minimum_samples(q: float) -> int:
    """The least n for which the largest of n independent samples lies at or above the q-quantile at 99 %.

    All n lie below it with probability q^n at most, whatever the distribution: n = ceil(log 0.01 / log q).
    """
    if not 0 < q < 1:
        raise ValueError(f"a quantile lies between 0 and 1, not at {q}")
    return math.ceil(math.log(1 - CONFIDENCE) / math.log(q))


def quantile_s(parts: Sequence[Sequence[float]], q: float) -> float | None:
    """The order statistic x_(⌈q·n⌉) of all processes' samples, a time that was observed.

    None where they are worth fewer independent ones than `minimum_samples(q)`.
    """
    everything = [sample for part in parts for sample in part]
    least = minimum_samples(q)
    carried = len(everything) >= least and effective_size(parts, q) >= least
    return order_statistic(everything, q) if carried else None


def order_statistic(samples: Sequence[float], q: float) -> float:
    """x_(⌈q·n⌉)."""
    exact = Fraction(q).limit_denominator(1_000_000)  # 0.07 · 100 is 7, in floats it is more
    k = max(1, math.ceil(exact * len(samples)))
    return float(np.partition(np.asarray(samples, dtype=np.float64), k - 1)[k - 1])
