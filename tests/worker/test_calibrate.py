"""Calls that are too short for the clock: so many a sample that the engine's own part is a hundredth at most."""

from functools import partial

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lstmbench.worker import calibrate
from lstmbench.worker.timing import measure


class Ticking:
    """A clock whose every look takes 50 ns, and a call that takes what it says."""

    def __init__(self, call_s):
        self.now_s, self.call_s, self.calls, self.settled = 0.0, call_s, 0, 0

    def __call__(self):
        self.now_s += 25e-9  # half before it is read, half after
        read, self.now_s = self.now_s, self.now_s + 25e-9
        return read

    def step(self):
        self.calls += 1
        self.now_s += self.call_s

    def settle(self):
        self.settled += 1


def timed(call_s, **options):
    clock = Ticking(call_s)
    samples = measure(
        lambda: clock, clock=clock, warmup_s=20 * call_s, budget_s=1e9, min_samples=1, max_samples=10, **options
    )
    return samples, clock


def test_the_engines_own_part_is_what_an_empty_step_shows():
    assert calibrate.overhead_s(Ticking(1.0)) == pytest.approx(50e-9)


def test_a_call_that_is_long_for_the_clock_is_a_sample():
    samples, _ = timed(10e-6)
    assert samples.repeats == 1
    assert samples.sample_s == pytest.approx([10.05e-6] * 10)


def test_a_shorter_one_is_repeated_and_the_sample_is_their_mean():
    samples, clock = timed(200e-9)
    assert samples.repeats == 20, "a hundred times 50 ns over the 250 ns that the warm-up saw"
    assert samples.sample_s == pytest.approx([200e-9 + 50e-9 / 20] * 10)
    assert clock.calls - clock.settled == 19 * 10, "the warm-up is call by call"


@given(st.floats(1e-8, 1e-4))
def test_the_engines_own_part_is_next_to_nothing_of_any_sample(call_s):
    samples, _ = timed(call_s)
    assert np.median(samples.sample_s) == pytest.approx(call_s, rel=0.07)  # 10 ns is repeated as if it took 60
    assert samples.overhead_s / (samples.repeats * call_s) < 0.07
    assert call_s < 100 * samples.overhead_s or samples.repeats == 1


def test_how_often_may_be_said_so_that_all_rounds_of_a_process_are_means_of_as_many():
    samples, _ = timed(200e-9, repeats=3)
    assert samples.repeats == 3


def test_a_clock_that_stands_still_repeats_nothing():
    assert calibrate.repeats([1.0, 1.0], 0.0) == 1
    assert calibrate.overhead_s(partial(float, 3)) == 0.0
