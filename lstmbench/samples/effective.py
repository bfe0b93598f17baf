"""How many independent samples a series is worth: calls that follow each other are alike, a burst of slow ones most."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
_LONGEST = 1000  # steps apart that are looked at
_NEAR = 0.1  # of the way from the median to the quantile


def effective_size(parts: Sequence[Sequence[float]], q: float) -> float:
    """Worth of parts, each a process's samples in their order, for the question where the q-quantile lies.

    n / τ, where τ is the largest of 1 and of three ways to hang together:

    - τ = 1 + 2 Σ ρ_k, where ρ_k is the autocorrelation of "at or above the quantile of all" within parts, about the
      mean of all. The sum ends where it is noise: at the first pair of neighbours that is not positive (initial
      positive sequence, Geyer, Statistical Science 7, 1992).
    - The same of "above the median", about each part's own mean: a series that never went up to the true p99 shows
      no bursts there, but it wanders about its median. Nearer to it than a tenth of the way to the quantile, calls
      count by how far they went: those that differ by a millionth can be in perfect order, which says nothing about
      stalls.
    - The index of dispersion of how many each part has at or above the quantile, over what chance would spread
      (Cochran, Biometrics 10, 1954): where the slow calls are those of one slow process, they are one observation.
    """
    series = [np.asarray(part, np.float64) for part in parts if len(part)]
    everything = np.concatenate(series)
    middle, asked = np.quantile(everything, (0.5, q), method="inverted_cdf")
    above = [part >= asked for part in series]
    share = np.concatenate(above).mean()
    side = [_side(part, middle, _NEAR * (asked - middle)) for part in series]
    times = (
        _integrated_time([part - share for part in above]),
        _integrated_time([part - part.mean() for part in side]),
        _dispersion(above, share),
    )
    return len(everything) / max(1.0, *times)


def _side(part: Floats, middle: float, near: float) -> Floats:
    """-1 below the median to 1 above, in between where it is nearer."""
    return np.clip((part - middle) / near, -1, 1) if near else np.sign(part - middle)


def _dispersion(above: Sequence[NDArray[np.bool_]], share: float) -> float:
    if len(above) == 1 or share == 1:
        return 1.0
    strayed = sum((part.sum() - len(part) * share) ** 2 / (len(part) * share * (1 - share)) for part in above)
    return float(strayed / (len(above) - 1))


def _integrated_time(centred: Sequence[Floats]) -> float:
    covariances = np.sum([_covariances(part) for part in centred], axis=0)
    if covariances[0] <= 0:  # all alike
        return 1.0
    pairs = (covariances[0::2] + covariances[1::2]) / covariances[0]
    ends = np.flatnonzero(pairs <= 0)
    positive = pairs[: ends[0]] if len(ends) else pairs
    return float(2 * positive.sum() - 1)


def _covariances(centred: Floats) -> Floats:
    """Sums of products k apart, for k to _LONGEST."""
    sums, known = np.zeros(_LONGEST), min(_LONGEST, len(centred))
    spectrum = np.fft.rfft(centred, len(centred) + known)  # padded: what leaves at one end must not enter at the other
    sums[:known] = np.fft.irfft(np.square(np.abs(spectrum)), len(centred) + known)[:known]
    return sums
