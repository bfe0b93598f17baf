"""The study counts what it planted: an engine that calls equal things different, or misses a slowdown, is found out."""

import contextlib
import time

import numpy as np
import psutil
import pytest

from lstmbench.flows import detection
from lstmbench.flows.detection import OURS
from lstmbench.flows.loaded import loaded
from lstmbench.flows.other_rules import RULES
from lstmbench.records import Load, Measurement, Timing
from lstmbench.report.detection import Rate

pytest.importorskip("scipy")
QUIET = Load(at="", load_average=(0, 0, 0), cpu_mhz=None)
ROUNDS = 15


def timed(factors, *, jitter=0.002):
    """In place of `bench`: what an engine finds that is off by factors."""

    def bench(clearances, workloads, *, run, effort, began, progress):
        rng = np.random.default_rng(effort.seed)
        entries = [(one.subject, False) for one in clearances] + [(clearances[0].subject, True)]
        return [
            Measurement(machine="m", subject=of, workload=work, process=n, twin=twin, timing=timing(of, rng))
            for work in workloads
            for of, twin in entries
            for n in range(effort.processes)
        ]

    def timing(of, rng):
        name = of.model.split("/")[-2]
        times = (
            2e-4
            * (1 + int(name[-1]) / 100)
            * factors.get(name, 1.0)
            * np.exp(rng.normal(scale=jitter, size=ROUNDS * 2))
        )
        took = tuple(times.tolist())
        known = {"session": QUIET, "budget_s": 1, "fresh": False, "spawn_s": 1, "load_s": 1, "steady": True}
        return Timing(warmup_s=(1,), start_s=took, sample_s=took, rounds=(2,) * ROUNDS, wall_s=1, cpu_s=1, **known)

    return bench


@pytest.fixture
def study(monkeypatch, tmp_path):
    def study(count=10, **factors):
        monkeypatch.setattr(detection, "bench", timed({f"by-{name[2:]}": f for name, f in factors.items()}))
        monkeypatch.setattr(detection, "loaded", lambda _count: contextlib.nullcontext())
        rates = detection.study(tmp_path, count, progress=lambda _: None)
        return {(one.loaded, one.planted): one for one in rates if one.rule == OURS}, rates

    return study


def test_a_right_engine_keeps_what_is_promised(study, monkeypatch):
    monkeypatch.setattr(detection, "SHAPES", 4)
    ours, rates = study(10)
    assert all(rate.kept for rate in ours.values())
    assert {rate.of for rate in rates} == {10}
    assert len(rates) == 2 * 3 * (1 + len(RULES))


@pytest.mark.parametrize(("wrong", "planted"), [({"by0": 1.03}, 0), ({"by2": 1 / 1.02}, 2), ({"by5": 1 / 1.1}, 5)])
def test_an_engine_that_is_wrong_is_found_out(study, wrong, planted):
    """By calling equal things different, missing what was planted, or finding it on the wrong side."""
    ours, _ = study(**wrong)
    assert {n for (_, n), rate in ours.items() if not rate.kept} == {planted}


@pytest.mark.parametrize(("called", "of", "bound"), [(0, 1000, 0.00299), (10, 1000, 0.01690), (3, 3, 1.0)])
def test_the_upper_bound_is_that_of_clopper_and_pearson(called, of, bound):
    assert Rate(False, OURS, 0, called, of).at_most == pytest.approx(bound, abs=2e-5)


@pytest.mark.parametrize(
    ("factor", "says"),
    [
        (1.0, ["", "", "", "", ""]),
        (1.03, ["slower", "slower", "", "", ""]),
        (1.2, ["slower", "slower", "slower", "slower", "slower"]),
        (1 / 1.2, ["faster", "faster", "faster", "", ""]),
    ],
)
def test_the_rules_of_others_call_what_their_limits_say(factor, says):
    before = 1 + 0.001 * np.arange(40)
    assert [rule(before.tolist(), (before[::-1] * factor).tolist()) for rule in RULES.values()] == says


def test_ranks_agree_with_a_count_by_hand():
    """12 against 12, each of one side above all of the other: z = 72 / sqrt(300), p = 3.2e-5; 5 against 5: 0.009."""
    low = [float(n) for n in range(12)]
    assert RULES["asv: Mann-Whitney, p < 0.002"](low, [s + 100 for s in low]) == "slower"
    assert RULES["asv: Mann-Whitney, p < 0.002"](low[:5], [s + 100 for s in low[:5]]) == ""


def test_a_load_is_busy_while_it_is_asked_for_and_gone_after():
    me = psutil.Process()
    with loaded(2):
        children = me.children()
        assert len(children) >= 2
        time.sleep(0.3)
        assert sum(child.cpu_times().user for child in children) > 0
    assert not [child for child in me.children() if child in children]
