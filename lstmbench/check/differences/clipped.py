"""A limit that an engine or a node puts on what goes into σ and tanh, or on c', which no weights explain.

ONNX LSTM's `clip` holds the sums of the gates, and C_t before its tanh (ONNX Runtime's CPU kernel: the sums alone);
`cell_clip` of TensorFlow holds c' itself. The limit is unknown: it is what the answers are nearest to.
"""

from collections.abc import Callable, Iterator
from typing import TypeAlias

import numpy as np

from lstmbench.check.differences.answers import Seen
from lstmbench.check.differences.isolated import Array
from lstmbench.model.reference import sigmoid

_TRIED, _ROUNDS = 64, 60  # limits that are tried first; halvings between the best one's neighbours
_LEAST = 4  # answers that are off without a limit: one number explains one answer whatever is wrong
_GOLDEN = (np.sqrt(5) - 1) / 2
_DIGITS = 7  # of float32

Limited: TypeAlias = Callable[[float], tuple[Array, Array]]  # limit -> h' and c' (Q, H)


def limit(seen: Seen) -> str:
    """In words what is held within which limit, if one limit explains every answer; empty if none does."""
    if np.count_nonzero(_misses(seen, *_held(seen)[0][1](np.inf)) > 1) < _LEAST:
        return ""
    for words, limited in _held(seen):
        largest = float(np.abs(seen.exact()).max() if "sums" in words else np.abs(seen.got_c).max() * 2)
        for shown in _rounded(_nearest(seen, limited, largest)):
            if (_misses(seen, *limited(shown)) <= 1).all():
                return f"{words} clipped to ±{shown:.{_DIGITS}g}"
    return ""


def _held(seen: Seen) -> list[tuple[str, Limited]]:
    i, f, g, o = seen.exact().transpose(1, 2, 0)  # (Q, H) each

    def to_cell(V: float) -> Array:
        c: Array = sigmoid(f.clip(-V, V)) * seen.c + sigmoid(i.clip(-V, V)) * np.tanh(g.clip(-V, V))
        return c

    def sums(V: float) -> tuple[Array, Array]:
        return sigmoid(o.clip(-V, V)) * np.tanh(seen.got_c), to_cell(V)

    def sums_and_cell(V: float) -> tuple[Array, Array]:
        return sigmoid(o.clip(-V, V)) * np.tanh(seen.got_c.clip(-V, V)), to_cell(V)

    def cell(V: float) -> tuple[Array, Array]:
        return sums(np.inf)[0], to_cell(np.inf).clip(-V, V)

    return [
        ("the sums of the gates are", sums),
        ("the sums of the gates, and c' before its tanh, are", sums_and_cell),
        ("c' is", cell),
    ]


def _misses(seen: Seen, h: Array, c: Array) -> Array:
    """How many bounds each answer is off, (2, Q, H)."""
    return np.stack([np.abs(h - seen.got_h) / seen.bound_h, np.abs(c - seen.got_c) / seen.bound_c])


def _nearest(seen: Seen, limited: Limited, largest: float) -> float:
    """The limit that leaves the least sum of errors: the best of many, then the golden section around it."""

    def error(V: float) -> float:
        return float(_misses(seen, *limited(V)).sum())

    tried = np.geomspace(largest / 1e3, largest, _TRIED)
    best = int(np.argmin([error(V) for V in tried]))
    low, high = float(tried[max(best - 1, 0)]), float(tried[min(best + 1, _TRIED - 1)])
    for _ in range(_ROUNDS):
        a, b = high - _GOLDEN * (high - low), low + _GOLDEN * (high - low)
        low, high = (low, b) if error(a) <= error(b) else (a, high)
    return (low + high) / 2


def _rounded(value: float) -> Iterator[float]:
    """The number with ever more digits: the shortest that explains all is the one that somebody wrote."""
    for digits in range(1, _DIGITS + 1):
        yield float(f"{value:.{digits}g}")
