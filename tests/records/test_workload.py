"""What a workload is: its calls, its tokens, its padding."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from lstmbench.records import Load, Measurement, Subject, Timing, Workload

LOAD = Load(at="2026-01-01T00:00:00+00:00", load_average=(0.0, 0.0, 0.0), cpu_mhz=None)
REQUEST = Workload(kind="request", batch=2, time=16, new=3)


@given(batch=st.integers(1, 70), time=st.integers(1, 300), data=st.data())
def test_mixed_lengths_reach_from_the_shortest_to_t_evenly_and_all_else_is_padding(batch, time, data):
    shortest = data.draw(st.integers(1, time))
    work = Workload(kind="score", batch=batch, time=time, shortest=shortest)
    assert (len(work.lengths), max(work.lengths)) == (batch, time)
    assert min(work.lengths) == (shortest if batch > 1 else time)
    steps = [one - other for one, other in zip(work.lengths, work.lengths[1:], strict=False)]
    assert not steps or max(steps) - min(steps) <= 1
    assert work.tokens_per_sample + work.padding * batch * time == pytest.approx(batch * time)


def test_a_request_is_a_call_on_its_prompt_and_one_for_each_further_token():
    assert (REQUEST.chunks, REQUEST.steps, REQUEST.tokens_per_sample) == ((16, 1, 1), 18, 6)
    assert REQUEST.label == "request 2×16+3"


@pytest.mark.parametrize(
    "wrong",
    [
        {"kind": "request"},
        {"kind": "score", "new": 3},
        {"kind": "decode", "shortest": 3},
        {"kind": "score", "shortest": 17},
        {"kind": "request", "new": 3, "region": "compute"},
        {"kind": "generate", "region": "compute"},
    ],
)
def test_what_cannot_be_timed_cannot_be_said(wrong):
    with pytest.raises(ValueError, match=r"tokens|lengths|end to end"):
        Workload(**{"batch": 2, "time": 16, **wrong})


def timing(**changes):
    fields = {"session": LOAD, "budget_s": 1.0, "fresh": True, "spawn_s": 0.1, "load_s": 0.1, "steady": None}
    times = {"warmup_s": (1.0,), "start_s": (0.0, 1.0), "sample_s": (1.0, 1.0), "rounds": (2,), "wall_s": 2, "cpu_s": 2}
    return Timing(**{**fields, **times, **changes})


def test_tokens_of_a_request_cannot_take_longer_than_it():
    timing(token_s=(0.5, 0.25, 0.25) * 2)
    with pytest.raises(ValueError, match="took longer"):
        timing(token_s=(0.5, 0.25, 0.25, 0.5, 0.25, 0.26))
    with pytest.raises(ValueError, match="as many tokens"):
        timing(token_s=(0.5, 0.25, 0.25))


def test_a_measurement_has_the_times_of_all_tokens_of_requests_and_of_nothing_else():
    subject = Subject(
        model="m/scan-fp32",
        model_sha256="ab" * 32,
        head="lm",
        peephole="full",
        form="scan",
        precision="fp32",
        runtime="numpy",
        runtime_version="1",
        code_sha256="cd" * 32,
        threads=1,
    )
    row = Measurement(machine="m", subject=subject, workload=REQUEST, process=0, timing=timing(token_s=(0.1,) * 6))
    for wrong in ({"workload": replace(REQUEST, new=2)}, {"workload": Workload(kind="score", batch=2, time=16)}):
        with pytest.raises(ValueError, match="each of its tokens"):
            replace(row, **wrong)
