"""What raw times can carry: order statistics, and the counts below which a quantile is not said."""

import math
from collections.abc import Sequence
from fractions import Fraction

import numpy as np

CONFIDENCE = 0.99  # one-sided


def minimum_samples(q: float) -> int:
    """The least n for which the largest of n independent samples lies at or above the q-quantile at 99 %.

    All n lie below it with probability q^n at most, whatever the distribution: n = ceil(log 0.01 / log q).
    """
    if not 0 < q < 1:
        raise ValueError(f"a quantile lies between 0 and 1, not at {q}")
    return math.ceil(math.log(1 - CONFIDENCE) / math.log(q))


def quantile_s(samples: Sequence[float], q: float) -> float | None:
    """The order statistic x_(⌈q·n⌉), a time that was observed; None where n is below `minimum_samples(q)`."""
    return None if len(samples) < minimum_samples(q) else _order_statistic(samples, q)


def tokens_per_s(samples: Sequence[float], *, tokens_per_sample: int) -> float | None:
    """Tokens a second at the median sample; None where there is no median."""
    median_s = quantile_s(samples, 0.5)
    return None if median_s is None else tokens_per_sample / median_s


def _order_statistic(samples: Sequence[float], q: float) -> float:
    exact = Fraction(q).limit_denominator(1_000_000)  # 0.07 · 100 is 7, in floats it is more
    k = max(1, math.ceil(exact * len(samples)))
    return float(np.partition(np.asarray(samples, dtype=np.float64), k - 1)[k - 1])
