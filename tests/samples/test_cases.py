"""The median of a case lies in its interval, and is a time that was observed."""

from types import SimpleNamespace

from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from lstmbench import samples
from lstmbench.records import Load, Timing, Workload
from lstmbench.samples import Case

TIMES = st.lists(st.floats(1e-6, 10), min_size=1, max_size=20)


def case(parts):
    known = {"session": Load(at="", load_average=(0, 0, 0), cpu_mhz=None), "budget_s": 1, "fresh": False, "spawn_s": 1}
    known |= {"load_s": 1, "steady": None, "wall_s": 1, "cpu_s": 1, "warmup_s": (1,)}
    timings = [Timing(sample_s=tuple(p), start_s=tuple(p), rounds=(len(p),), **known) for p in parts]
    return Case(None, Workload(kind="score", batch=1, time=1), tuple(timings), "", tuple(range(len(parts))))


@given(st.lists(TIMES, min_size=6, max_size=20))
def test_the_median_lies_within_its_interval(parts):
    one = case(parts)
    low, high = samples.median_interval(one.medians_s, 0.95)
    assert low <= one.median_s <= high
    assert one.median_s in {sample for part in parts for sample in part}


def test_five_processes_need_samples_enough_and_six_do_not():
    assert case([[1.0]] * 5).median_s is None
    assert case([[1.0, 2.0], [2.0, 1.0], [1.0, 2.0], [2.0, 1.0]]).median_s == 1.0
    assert case([[1.0]] * 6).median_s == 1.0
    assert case([]).median_s is None


def test_means_of_calls_tell_a_median_and_no_other_quantile():
    """A p99 of means is not a p99 of calls: a stall in one of them is spread over all."""
    whole = case([[float(n % 97 + 1) for n in range(1000)]] * 6)
    whole = whole._replace(subject=SimpleNamespace(threads=2))
    means = whole._replace(timings=tuple(replace(timing, repeats=8) for timing in whole.timings))
    assert whole.quantile_s(0.9) is not None
    assert means.quantile_s(0.9) is None
    assert means.median_s == whole.median_s
    assert any("mean of 8 calls" in remark for remark in samples.remarks(means))
    assert not any("mean of" in remark for remark in samples.remarks(whole))
