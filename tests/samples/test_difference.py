"""Two that took turns: a burst over a few rounds falls out, a constant factor does not."""

import numpy as np
import pytest

from lstmbench.records import Load, Subject, Timing, Workload
from lstmbench.samples import Case, centre_of, difference, half_width, log_ratios

pytest.importorskip("scipy")
QUIET = Load(at="", load_average=(0, 0, 0), cpu_mhz=None)
SUBJECT = Subject(
    model="m/scan-fp32",
    model_sha256="",
    head="lm",
    peephole="full",
    form="scan",
    precision="fp32",
    runtime="r",
    runtime_version="1",
    code_sha256="",
    threads=1,
)
WORK = Workload(kind="score", batch=1, time=1)
ROUNDS = 30


def case(factor=1.0, *, seed=0, passes=8, burst=1.0, during=slice(0, 0), jitter=0.003):
    """Rounds of four samples; those during a burst take longer by that factor."""
    rng, made = np.random.default_rng(seed), []
    for _ in range(passes):
        samples = 1e-3 * factor * np.exp(rng.normal(scale=jitter, size=(ROUNDS, 4)))
        samples[during] *= burst
        took = tuple(samples.ravel().tolist())
        known = {"session": QUIET, "budget_s": 1, "fresh": False, "spawn_s": 1, "load_s": 1, "steady": True}
        timing = Timing(
            warmup_s=(1,), start_s=took, sample_s=took, rounds=(4,) * ROUNDS, wall_s=sum(took), cpu_s=1, **known
        )
        made.append(timing)
    return Case(SUBJECT, WORK, tuple(made), "", tuple(range(passes)))


def test_a_burst_that_takes_most_of_one_sides_time_and_less_of_the_others_falls_out():
    """By the processes' own medians the first would be slower by half."""
    one = case(seed=1, burst=1.5, during=slice(0, 16))
    other = case(seed=2, burst=1.5, during=slice(0, 14))
    assert np.median(one.medians_s) / np.median(other.medians_s) > 1.4
    assert not difference(one, other).told


@pytest.mark.parametrize("factor", [1.05, 1.02, 1 / 1.02])
def test_a_small_factor_is_told_under_load(factor):
    loaded = slice(5, 25)
    seen = difference(case(factor, seed=1, burst=3.0, during=loaded), case(seed=2, burst=3.0, during=loaded))
    assert seen.told
    assert seen.ratio == pytest.approx(factor, abs=0.005)


def test_rounds_that_only_one_of_them_took_do_not_count():
    one, other = case(1.1, seed=1), case(seed=2)
    cut = other.timings[0]
    short = Timing(
        **{name: getattr(cut, name) for name in cut.__struct_fields__}
        | {"sample_s": cut.sample_s[:8], "start_s": cut.start_s[:8], "rounds": (4, 0, 4)}
    )
    ratios = log_ratios(one, other._replace(timings=(short, *other.timings[1:])))
    assert np.exp(ratios) == pytest.approx(1.1, rel=0.01)


def test_intervals_that_hold_together_are_wider():
    one, other = case(seed=1), case(seed=2)
    alone, together = difference(one, other), difference(one, other, together=20)
    assert together.low < alone.low < alone.ratio < alone.high < together.high
    assert together.ratio == alone.ratio


def test_one_pass_that_went_astray_decides_nothing():
    """On a core that something else took, all of a pass may be slower by a third: by the mean nothing would be told."""
    one, other = case(1.02, seed=1, passes=10), case(seed=2, passes=10)
    astray = case(1.33, seed=3, passes=1).timings
    seen = difference(one._replace(timings=(*one.timings[:9], *astray)), other)
    assert seen.told
    assert seen.ratio == pytest.approx(1.02, abs=0.005)


@pytest.mark.parametrize("passes", [6, 9, 10, 12, 20])
def test_of_equal_passes_about_one_in_a_hundred_is_called_different(passes):
    """A law of the interval: 4,000 draws of normal ratios; 1.0 % and four standard errors more are 1.63 %."""
    rng = np.random.default_rng(passes)
    missed = 0
    for ratios in rng.normal(scale=0.01, size=(4000, passes)).tolist():
        centre = centre_of(ratios)
        missed += abs(centre.middle) > centre.error * T[passes]
    assert missed / 4000 < 0.0163


T = {6: 4.0321, 9: 3.3554, 10: 3.7074, 12: 3.7074, 20: 3.0545}  # tables: t at 0.995 of 5, 8, 6, 6 and 12 degrees


@pytest.mark.parametrize("passes", T)
def test_the_half_width_is_that_of_tables(passes):
    centre = centre_of([0.01 * n for n in range(passes)])
    assert half_width(centre) == pytest.approx(T[passes] * centre.error, rel=1e-4)
