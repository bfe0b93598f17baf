"""A request: what it asks for, and that its tokens take its time, no more and no less."""

from functools import partial

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lstmbench.arrays import State
from lstmbench.errors import AnswerError
from lstmbench.records import ModelConfig, Workload
from lstmbench.worker.request import Request, WholeRows
from lstmbench.worker.timing import measure

MODEL = ModelConfig(head="lm", peephole="none", input_size=2, hidden_size=3, vocabulary_size=10)


class Reader:
    """Takes 1 s a step and 1/8 s a call, counts calls in c; token + 1 is the likeliest next one. Is its own clock."""

    def __init__(self, first_s=0.0):
        self.now_s, self.seen, self.first_s = 100.0, [], first_s

    def __call__(self):
        return self.now_s

    def run(self, inputs, state):
        self.now_s += inputs.shape[1] + 0.125 + (self.first_s if state is None else 0)
        count = 0 if state is None else int(state.c[0, 0, 0])
        self.seen.append((inputs.tolist(), None if state is None else count))
        logits = -((np.arange(10) - inputs[..., None] - 1) % 10).astype(np.float32)  # (B, T, V)
        shape = MODEL.state_shape(len(inputs))
        return logits, State(np.zeros(shape, np.float32), np.full(shape, count + 1, np.float32))


def timed(runtime, inputs, new, *, samples=1):
    workload = Workload(kind="request", batch=len(inputs), time=inputs.shape[1], new=new)
    make = partial(Request, runtime, MODEL, workload, inputs, clock=runtime)
    return measure(make, clock=runtime, warmup_s=0, budget_s=1e9, min_samples=1, max_samples=samples)


def test_the_prompt_is_read_at_once_and_each_token_is_the_argmax_of_the_call_before():
    runtime = Reader()
    timed(runtime, np.array([[3, 9, 5], [8, 9, 1]]), 3)
    once = [([[3, 9, 5], [8, 9, 1]], None), ([[6], [2]], 1), ([[7], [3]], 2)]
    assert runtime.seen == [*once, *once], "a warm-up, then a sample"


def test_the_first_token_waits_for_the_prompt_and_the_others_for_a_step():
    samples = timed(Reader(first_s=7.0), np.array([[3, 9, 5]]), 3, samples=2)
    assert samples.token_s == (10.125, 1.125, 1.125) * 2


@settings(deadline=None)  # a shared machine may pause anywhere
@given(batch=st.integers(1, 3), time=st.integers(1, 9), new=st.integers(1, 9), samples=st.integers(1, 3))
def test_time_to_first_token_and_the_latencies_between_are_the_time_of_the_request(batch, time, new, samples):
    taken = timed(Reader(), np.ones((batch, time), np.int64), new, samples=samples)
    for n, whole_s in enumerate(taken.sample_s):
        first_s, *between_s = taken.token_s[n * new : (n + 1) * new]
        mean_s = sum(between_s) / len(between_s) if between_s else 0.0
        assert first_s + (new - 1) * mean_s == pytest.approx(whole_s, rel=1e-12)


def test_a_request_that_ends_in_nan_is_no_sample():
    class Breaks(Reader):
        def run(self, inputs, state):
            logits, after = super().run(inputs, state)
            return logits, after if state is None else State(after.h, after.c * np.float32(np.nan))

    with pytest.raises(AnswerError, match="NaN"):
        timed(Breaks(), np.array([[3]]), 2)


def test_an_export_that_takes_lengths_is_told_at_each_call_that_its_rows_are_whole():
    seen = []

    class Ragged:
        def run(self, inputs, state, *, lengths):
            seen.append(lengths.tolist())
            return Reader().run(inputs, state)

    timed_on = WholeRows(Ragged())
    work = Request(timed_on, MODEL, Workload(kind="request", batch=2, time=4, new=2), np.ones((2, 4), np.int64))
    work.step()
    assert seen == [[4, 4], [1, 1]]
