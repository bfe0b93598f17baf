"""What raw times can carry."""

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lstmbench import samples

QUANTILES = st.integers(min_value=1, max_value=999).map(lambda thousandths: thousandths / 1000)
TIMES = st.lists(st.floats(min_value=1e-9, max_value=10), min_size=1, max_size=200)


def exact(q: float) -> Fraction:
    return Fraction(str(q))


@pytest.mark.parametrize(("q", "n"), [(0.5, 7), (0.9, 44), (0.95, 90), (0.99, 459), (0.999, 4603)])
def test_the_counts_that_tables_of_order_statistics_give(q, n):
    assert samples.minimum_samples(q) == n


@given(QUANTILES)
def test_the_largest_of_the_least_count_misses_the_quantile_once_in_a_hundred_and_of_one_fewer_more_often(q):
    # binomial: the chance that none of n samples lies at or above the q-quantile is q^n, in exact numbers
    n = samples.minimum_samples(q)
    assert exact(q) ** n <= Fraction(1, 100)
    assert n == 1 or exact(q) ** (n - 1) > Fraction(1, 100)


@given(TIMES, QUANTILES)
def test_a_quantile_is_the_least_sample_with_a_share_q_at_or_below_it_or_nothing(times, q):
    got = samples.quantile_s([times], q)
    if min(len(times), samples.effective_size([times], q)) < samples.minimum_samples(q):
        assert got is None
    else:
        assert got == min(x for x in times if sum(y <= x for y in times) >= exact(q) * len(times))


@given(st.lists(TIMES, min_size=1, max_size=6))
def test_the_median_is_observed_and_halves_the_samples_of_all_processes(parts):
    median, times = samples.quantile_s(parts, 0.5), [x for part in parts for x in part]
    if len(times) < 7:  # all of six may lie below it: 1 in 64
        assert median is None
    if median is None:
        return
    assert median in times
    assert 2 * sum(x <= median for x in times) >= len(times)
    assert 2 * sum(x >= median for x in times) >= len(times)


def spread(slow, n):
    """So many slow ones among n, far from each other."""
    return [5.0 if k % (n // slow) == 0 and k < slow * (n // slow) else 1.0 for k in range(n)]


def test_ninety_nine_in_a_hundred_needs_the_459th_sample():
    assert samples.quantile_s([[1.0] * 458], 0.99) is None
    assert samples.quantile_s([spread(5, 459)], 0.99) == 5.0  # the 455th of 459
    assert samples.quantile_s([spread(5, 459)[:200], spread(5, 459)[200:]], 0.99) == 5.0


def test_a_burst_of_slow_ones_is_one_event_and_carries_no_ninety_nine():
    assert samples.quantile_s([[1.0] * 200 + [5.0] * 6 + [1.0] * 254], 0.99) is None


@pytest.mark.parametrize("q", [0.0, 1.0, 1.5, -0.1])
def test_a_quantile_outside_0_to_1_is_our_mistake(q):
    with pytest.raises(ValueError, match="between 0 and 1"):
        samples.quantile_s([[1.0]], q)
