"""What is odd is said, what is ordinary is not."""

import numpy as np
import pytest
from msgspec.structs import replace

from lstmbench import samples
from lstmbench.records import Load, Subject, Timing, Workload
from lstmbench.samples import Case
from lstmbench.samples.stability import two_groups

QUIET = Load(at="", load_average=(0, 0, 0), cpu_mhz=None)
SUBJECT = {"model": "m", "head": "lm", "peephole": "full", "form": "scan", "precision": "fp32", "runtime": "numpy"}
SUBJECT |= {"model_sha256": "ab" * 32, "code_sha256": "cd" * 32, "runtime_version": "1"}
RNG = np.random.default_rng


def timing(sample_s, *, steady=True, ran=1.0):
    sample_s, fields = tuple(sample_s), {"session": QUIET, "budget_s": 1, "fresh": False, "spawn_s": 1, "load_s": 1}
    wall = {"steady": steady, "wall_s": sum(sample_s), "cpu_s": ran * sum(sample_s)}
    return Timing(warmup_s=(1,), start_s=sample_s, sample_s=sample_s, rounds=(len(sample_s),), **fields, **wall)


def case(timings, threads=1):
    subject = Subject(threads=threads, **SUBJECT)
    return Case(subject, Workload(kind="score", batch=1, time=1), tuple(timings), "")


def noisy(rng, shift=1.0, n=60):
    """As calls are: a floor and a tail."""
    return shift * (1 + 0.02 * rng.exponential(size=n))


def test_an_ordinary_case_has_no_remark():
    seeds = range(200)
    said = [samples.remarks(case(timing(noisy(RNG(6 * k + n))) for n in range(6))) for k in seeds]
    assert not [one for one in said if one]


def test_a_warm_up_that_was_too_short_is_said():
    timings = [timing(noisy(RNG(n)), steady=n != 2) for n in range(6)]
    assert samples.remarks(case(timings)) == ("not steady after the warm-up in 1 of 6 processes",)


@pytest.mark.parametrize(("step", "said"), [(0.02, "drifts by +10%"), (-0.02, "drifts by -10%")])
def test_processes_each_slower_than_the_one_before_drift(step, said):
    timings = [timing(noisy(RNG(n), 1 + step * n)) for n in range(6)]
    assert samples.remarks(case(timings))[0].startswith(said)
    assert not samples.remarks(case(timings[:3] + timings[2::-1]))  # up and down again


def test_two_groups_of_times_are_named_with_their_distance():
    x = np.concatenate([noisy(RNG(1), n=200), noisy(RNG(2), 1.5, n=100)])
    low, high = two_groups(x)
    assert high / low == pytest.approx(1.5, rel=0.02)
    timings = [timing(RNG(n).permutation(x)) for n in range(6)]
    assert samples.remarks(case(timings)) == ("two groups of times, 50% apart",)


@pytest.mark.parametrize("draw", ["normal", "exponential", "uniform", "lognormal", "gamma"])
def test_one_group_however_skewed_is_one(draw):
    shapes = {"gamma": {"shape": 2.0}, "lognormal": {"sigma": 0.8}}
    for seed in range(100):
        assert two_groups(1 + getattr(RNG(seed), draw)(size=300, **shapes.get(draw, {}))) is None


def test_a_few_outliers_are_no_group():
    assert two_groups([1.0] * 280 + [9.0] * 20) is None


def test_threads_that_nobody_gave_it_are_said():
    timings = [timing(noisy(RNG(n)), ran=1.9) for n in range(6)]
    assert samples.remarks(case(timings)) == ("ran on 1.9 cores at a time, given 1",)
    assert samples.remarks(case(timings, threads=2)) == ()


def test_a_thread_that_did_not_run_all_the_time_is_said_of_one_thread_alone():
    timings = [timing(noisy(RNG(n)), ran=0.7) for n in range(6)]
    assert samples.remarks(case(timings)) == ("other work took 30% of its time",)
    assert samples.remarks(case(timings, threads=2)) == ()


@pytest.mark.parametrize(
    ("told", "said"),
    [
        ({"stolen": 0.12}, "the hypervisor gave 12% of the processors' time to others"),
        ({"stolen": 0.01}, ""),
        ({"cpu_mhz": 2000.0}, "throttled: the processor's clock fell to 2,000 of 3,000 MHz"),
        ({"cpu_mhz": 2900.0}, ""),
    ],
)
def test_what_the_machine_tells_is_named(told, said):
    calm = [timing((1.0, 1.1) * 3) for _ in range(6)]
    first = {"cpu_mhz": 3000.0} | {name: value for name, value in told.items() if name == "stolen"}
    timings = [replace(calm[0], **first), *(replace(one, **told) for one in calm[1:])]
    found = [one for one in samples.remarks(case(timings)) if one.startswith(("the hypervisor", "throttled"))]
    assert found == ([said] if said else [])
