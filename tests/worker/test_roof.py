"""Rates of this machine: of the right work, by the best call, from a process without a runtime."""

import numpy as np
import pytest

from lstmbench.worker import Gauge, roof


@pytest.fixture
def clock(monkeypatch):
    """Time passes only as the work says: 3 s, 1 s, 2 s, and over again."""
    now_s, calls, took = [0.0], [], (3, 1, 2)

    def dot(a, b, out):
        calls.append((a.shape, b.shape, a.dtype))
        now_s[0] += took[(len(calls) - 1) % 3]

    monkeypatch.setattr(roof.time, "perf_counter", lambda: now_s[0])
    monkeypatch.setattr(roof.np, "dot", dot)
    return calls


def test_the_quickest_of_at_least_three_calls_counts(clock):
    assert roof.product_rate() == 2 * 1024**3 / 1
    assert clock == [((1024, 1024), (1024, 1024), np.float32)] * 3


def test_reading_goes_over_so_many_bytes(clock):
    assert roof.reading_rate(10_000_000) == pytest.approx(10_000_000, rel=1e-3)
    ((rows, columns), vector, _), *_ = clock
    assert 0 <= 4 * rows * columns - 10_000_000 < 4 * columns
    assert vector == (columns,)


def test_a_process_without_a_runtime_tells_both():
    with Gauge(threads=1) as gauge:
        rates = gauge.rates(100_000)
    assert min(rates.operations_per_s, rates.bytes_per_s) > 1e6  # NumPy on anything
