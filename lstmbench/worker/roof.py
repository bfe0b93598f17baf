"""How fast this process multiplies and how fast it reads, by products of NumPy's own: the best of many."""

import time
from collections.abc import Callable
from functools import partial

import numpy as np

from lstmbench.worker.messages import Rates

_SIDE = 1024  # of a square product: 2 GFLOP, far more than what starting it costs
_WIDTH = 512  # of the matrix that is read: its vector stays in the nearest cache
_BUDGET_S = 0.2


def rates(weight_bytes: int) -> Rates:
    """Of both."""
    return Rates(operations_per_s=product_rate(), bytes_per_s=reading_rate(weight_bytes))


def product_rate() -> float:
    """Operations a second in float32 products of large matrices, two for a multiplication and an addition."""
    a, b = np.random.default_rng(0).random((2, _SIDE, _SIDE), np.float32)
    return 2 * _SIDE**3 / _shortest_s(partial(np.dot, a, b, out=np.empty_like(a)))


def reading_rate(weight_bytes: int) -> float:
    """Bytes a second of a matrix-vector product over a float32 matrix of so many bytes, rounded up to whole rows."""
    rows = -(-weight_bytes // (4 * _WIDTH))
    matrix = np.random.default_rng(0).random((rows, _WIDTH), np.float32)
    vector, out = np.ones(_WIDTH, np.float32), np.empty(rows, np.float32)
    return matrix.nbytes / _shortest_s(partial(np.dot, matrix, vector, out=out))


def _shortest_s(work: Callable[[], object]) -> float:
    """The quickest call of those that fit into the budget, at least three: what others do can only make one slower."""
    best_s, calls, end_s = float("inf"), 0, time.perf_counter() + _BUDGET_S
    while calls < 3 or time.perf_counter() < end_s:
        begin_s = time.perf_counter()
        work()
        best_s, calls = min(best_s, time.perf_counter() - begin_s), calls + 1
    return best_s
