"""How much a series is worth, on processes whose autocorrelation is known."""

import numpy as np
import pytest

from lstmbench import samples


def autoregressive(rho, n, rng):
    """Gaussian, variance 1, so much of each value in the next."""
    noise, x = rng.normal(size=n), np.empty(n)
    x[0] = noise[0]
    for k in range(1, n):
        x[k] = rho * x[k - 1] + np.sqrt(1 - rho**2) * noise[k]
    return x


@pytest.mark.parametrize("q", [0.5, 0.9, 0.99])
def test_independent_samples_are_worth_nearly_all_of_themselves(q):
    rng = np.random.default_rng(1)
    worth = [samples.effective_size([rng.exponential(size=1000)], q) for _ in range(40)]
    assert max(worth) <= 1000
    assert np.mean(worth) > 750


def test_samples_that_hang_together_are_worth_less():
    """The median of an AR(1): "above the median" has the autocorrelation (2/π) asin ρ^k."""
    rng, rho, n = np.random.default_rng(2), 0.9, 5000
    lags = 1 + 2 * sum(2 / np.pi * np.arcsin(rho**k) for k in range(1, 400))
    worth = [samples.effective_size([autoregressive(rho, n, rng)], 0.5) for _ in range(20)]
    assert np.mean(worth) == pytest.approx(n / lags, rel=0.15)


def test_processes_that_differ_from_end_to_end_are_an_observation_each():
    rng = np.random.default_rng(3)
    parts = [rng.normal(loc=shift, size=400) for shift in (30, 60, -30, 90, -60, 0)]
    assert samples.effective_size(parts, 0.5) < 12
    assert samples.effective_size([[1, 1.01, 1, 1.01], [2, 2.01, 2, 2.02]], 0.5) < 7
    alike = [rng.normal(size=400) for _ in range(6)]
    assert samples.effective_size(alike, 0.5) > 1500


def test_a_p99_that_is_told_holds_for_the_next_process_too():
    """Processes differ by 5 %, their calls by 1 %: six of them have not seen the slowest in a hundred."""
    rng = np.random.default_rng(5)
    told = 0
    for _ in range(100):
        parts = [np.exp(0.05 * rng.normal() + 0.01 * rng.normal(size=100)) for _ in range(6)]
        told += samples.effective_size(parts, 0.99) >= samples.minimum_samples(0.99)
    assert told <= 3


def test_processes_that_differ_by_a_ten_thousandth_do_not_hide_a_p99_of_stalls():
    rng = np.random.default_rng(6)
    parts = [1 + 1e-4 * process + 1e-5 * rng.normal(size=600) for process in range(6)]
    assert samples.effective_size(parts, 0.99) < samples.minimum_samples(0.99)  # all of its slowest are of one process
    for part in parts:
        part[25::50] += rng.exponential(size=12)
    assert samples.effective_size(parts, 0.99) > 3000


def test_a_quantile_that_is_told_holds_at_99_percent_for_samples_that_hang_together():
    """The claim itself: the largest of so many lies at or above the p90. Raw counts would make it far too often."""
    rng, true = np.random.default_rng(4), 1.2815515655446004
    told = held = short = 0
    for _ in range(200):
        x = autoregressive(0.95, 1000, rng)
        short += x[:120].max() >= true
        if samples.effective_size([x], 0.9) >= samples.minimum_samples(0.9):
            told, held = told + 1, held + (x.max() >= true)
    assert told > 30
    assert held / told >= 0.99
    assert short / 200 < 0.9  # of 120, where 44 independent ones were enough


@pytest.mark.parametrize("parts", [[[1.0]], [[1.0, 2.0]], [[1.0]] * 6, [[1.0] * 50]])
def test_few_or_equal_samples_are_worth_their_number(parts):
    assert samples.effective_size(parts, 0.5) == sum(map(len, parts))
