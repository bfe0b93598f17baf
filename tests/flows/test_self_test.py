"""An engine that is wrong by more than it promises is found out; each promise by a mistake of its own."""

import msgspec
import numpy as np
import pytest
from msgspec.structs import replace

from lstmbench.errors import LstmbenchError
from lstmbench.flows import known_costs, self_test
from lstmbench.flows.pretended import pretended
from lstmbench.records import Load, Measurement, Timing, Weight
from lstmbench.worker import Samples

pytest.importorskip("scipy")
QUIET = Load(at="", load_average=(0, 0, 0), cpu_mhz=None)
COSTS = {"Spin": 2e-3, "Slower": 2.1e-3, "Stalls": 5e-4, "Holds": 0.03, "Nothing": 2e-7}


def timing(name, rng, factor, ran=1.0):
    seconds = COSTS[name] * factor * (1 + 0.001 * rng.random(100))
    if name == "Stalls":
        seconds[24::25] = known_costs.STALL_S
    took = tuple(seconds.tolist())
    known = {"session": QUIET, "budget_s": 1, "fresh": False, "spawn_s": 1, "load_s": 1, "steady": True}
    return Timing(
        warmup_s=(1,),
        start_s=took,
        sample_s=took,
        rounds=(100,),
        wall_s=sum(took),
        cpu_s=ran * sum(took),
        repeats=100 if name == "Nothing" else 1,
        overhead_s=8e-8 * factor,
        **known,
    )


def rows(ran=1.0, **factors) -> list[Measurement]:
    """What a right engine finds, but for factors."""
    rng, made = np.random.default_rng(3), []
    for name, twin in [*((name, False) for name in COSTS), ("Spin", True)]:
        subject, factor = pretended(name).subject, factors.get("Twin" if twin else name, 1.0)
        for process in range(8):
            case = {"subject": subject, "workload": self_test._CALL[0], "process": process, "twin": twin}
            made.append(Measurement(machine="m", timing=timing(name, rng, factor, ran), **case))
    return made


def weights(factor=1.0) -> list[Weight]:
    subject, peak = pretended("Holds").subject, int(known_costs.HELD_BYTES * factor)
    return [Weight(machine="m", subject=subject, workload=self_test._CALL[0], peak_bytes=peak)]


def failed(rows, weights):
    return [one.what for one in self_test._findings(rows, weights) if not one.passed]


def test_a_right_engine_passes():
    assert not failed(rows(), weights())


@pytest.mark.parametrize(
    ("wrong", "what"),
    [
        ({"Spin": 1.02, "Slower": 1.02, "Twin": 1.02}, ["a call of known length"]),
        ({"Twin": 1.01}, ["the same call twice"]),
        ({"Slower": 1 / 1.05}, ["a slower call"]),
        ({"Slower": 1.02}, ["a slower call"]),
        ({"Nothing": 20.0}, ["the engine's own part of a sample"]),
        ({"ran": 0.8}, ["the processor for itself"]),
    ],
    ids=str,
)
def test_each_promise_that_is_broken_is_named(wrong, what):
    assert failed(rows(**wrong), weights()) == what


def test_a_stall_that_is_not_in_the_samples_is_missed():
    smooth = [
        msgspec.structs.replace(row, timing=timing("Spin", np.random.default_rng(1), 1.0))
        if row.subject.runtime.endswith("Stalls")
        else row
        for row in rows()
    ]
    assert failed(smooth, weights()) == ["a stall in one of 25 calls"]


@pytest.mark.parametrize("factor", [0.9, 1.1])
def test_memory_that_is_off_by_a_tenth_is_named(factor):
    assert failed(rows(), weights(factor)) == ["memory held in a call"]


def test_a_worker_that_fails_is_the_only_finding():
    lost = [msgspec.structs.replace(row, timing=None, refused="it crashed") for row in rows()[:1]]
    assert failed(lost + rows()[1:], weights()) == ["workers"]


def test_a_folder_that_holds_a_run_is_left_alone(tmp_path):
    (tmp_path / "measurements.jsonl").write_text("somebody's\n")
    with pytest.raises(LstmbenchError, match="holds files already"):
        self_test.self_test(tmp_path, progress=lambda _: None)
    assert [file.name for file in tmp_path.iterdir()] == ["measurements.jsonl"]


@pytest.mark.slow
def test_the_engine_runs_what_is_planted(tmp_path):
    """What it says depends on the machine; that it says it of everything does not."""
    found = self_test.self_test(tmp_path / "run", progress=lambda _: None)
    assert len(found) == 9
    assert next(one for one in found if one.what == "memory held in a call").passed


@pytest.mark.parametrize(
    ("token_s", "right"),
    [((2e-3,) * 5, True), ((2e-3,) * 4 + (1.7e-3,), False), ((2.1e-3,) * 4 + (1.6e-3,), False)],
)
def test_tokens_that_are_not_all_of_a_request_or_not_what_a_call_takes_are_told(token_s, right):
    times = {"warmup_s": (1.0,), "start_s": (0.0,) * 9, "sample_s": (1e-2,) * 9, "wall_s": 1.0, "cpu_s": 1.0}
    taken = Samples(token_s=token_s * 9, steady=None, **times)
    assert self_test._adding_up(taken).passed == right


def test_calls_that_were_timed_one_by_one_where_the_clock_is_a_large_part_are_told():
    once = [replace(row, timing=replace(row.timing, repeats=1)) for row in rows()]
    assert failed(once, weights()) == ["the engine's own part of a sample"]
