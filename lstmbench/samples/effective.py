"""How many independent samples a series is worth: calls that follow each other are alike, a burst of slow ones most."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
_LONGEST = 1000  # steps apart that are looked at


def effective_size(parts: Sequence[Sequence[float]], q: float) -> float:
    """Worth of parts, each a process's samples in their order, for the question where the q-quantile lies.

    n / τ with τ = 1 + 2 Σ ρ_k, at least 1: ρ_k is the autocorrelation of "at or above the quantile of all" within
    parts, about the mean of all, so that it counts how calls of one process hang together and how processes differ:
    where one process is slow from end to end, its samples are one observation. The sum ends where it is noise: at
    the first pair of neighbours that is not positive (initial positive sequence, Geyer, Statistical Science 7,
    1992). The larger τ of the quantile and of the median counts: a series that never went up to the true p99 shows
    no bursts there.
    """
    everything = np.concatenate([np.asarray(part, np.float64) for part in parts])
    edges = np.quantile(everything, (0.5, q), method="inverted_cdf")
    times = [_integrated_time([np.asarray(part) >= edge for part in parts]) for edge in edges]
    return len(everything) / max(1.0, *times)


def _integrated_time(above: Sequence[NDArray[np.bool_]]) -> float:
    share = np.concatenate(above).mean()
    covariances = np.sum([_covariances(part - share) for part in above], axis=0)
    if covariances[0] <= 0:  # all alike
        return 1.0
    pairs = (covariances[0::2] + covariances[1::2]) / covariances[0]
    ends = np.flatnonzero(pairs <= 0)
    positive = pairs[: ends[0]] if len(ends) else pairs
    return float(2 * positive.sum() - 1)


def _covariances(centred: Floats) -> Floats:
    """Sums of products k apart, for k to _LONGEST."""
    sums = np.zeros(_LONGEST)
    sums[: min(_LONGEST, len(centred))] = np.correlate(centred, centred, "full")[len(centred) - 1 :][:_LONGEST]
    return sums
