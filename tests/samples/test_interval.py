import numpy as np
import pytest

from lstmbench import samples


@pytest.mark.parametrize(("n", "confidence"), [(5, 0.95), (7, 0.99), (0, 0.95), (1, 0.5)])
def test_too_few_processes_carry_none(n, confidence):
    assert samples.median_interval(range(n), confidence) is None


@pytest.mark.parametrize(
    ("n", "confidence", "ends"),
    [(6, 0.95, (0, 5)), (8, 0.99, (0, 7)), (9, 0.95, (1, 7)), (12, 0.95, (2, 9)), (20, 0.99, (3, 16))],
)
def test_the_ends_are_those_that_tables_of_the_sign_test_give(n, confidence, ends):
    assert samples.median_interval(list(range(n))[::-1], confidence) == ends


@pytest.mark.parametrize(("n", "confidence"), [(6, 0.95), (8, 0.99), (11, 0.95)])
def test_it_holds_the_median_as_often_as_it_says(n, confidence):
    rng = np.random.default_rng(n)
    intervals = [samples.median_interval(rng.exponential(size=n).tolist(), confidence) for _ in range(4000)]
    holds = np.mean([low <= np.log(2) <= high for low, high in intervals])
    assert holds > confidence - 3 * np.sqrt(confidence * (1 - confidence) / 4000)
