import gc
from functools import partial

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lstmbench.arrays import State
from lstmbench.errors import WorkerError
from lstmbench.records import ModelConfig, Workload
from lstmbench.worker.shapes import ContractError
from lstmbench.worker.timing import Decode, Generate, Score, measure

MODEL = ModelConfig(head="lm", peephole="none", input_size=2, hidden_size=3, vocabulary_size=10)


@pytest.fixture(autouse=True, scope="module")
def _small_heap():
    """Leave what other tests loaded out of every collection, which takes long in a large process."""
    gc.freeze()
    yield
    gc.unfreeze()


class Clock:
    """Stands still but for what a runtime says it took."""

    def __init__(self):
        self.now_s = 100.0

    def __call__(self):
        return self.now_s


class Counting:
    """Answers token + 1 (modulo V) as the likeliest next token, counts in c, and records what it is given."""

    def __init__(self, clock=None, takes_s=1.0):
        self.clock, self.takes_s, self.seen, self.collecting = clock or Clock(), takes_s, [], []

    def run(self, inputs, state):
        self.clock.now_s += self.takes_s
        self.collecting.append(gc.isenabled())
        count = 0 if state is None else int(state.c[0, 0, 0])
        self.seen.append((inputs.tolist(), None if state is None else count))
        logits = -((np.arange(10) - inputs[..., None] - 1) % 10).astype(np.float32)  # (B, T, V)
        shape = MODEL.state_shape(len(inputs))
        return logits, State(np.zeros(shape, np.float32), np.full(shape, count + 1, np.float32))


def timed(kind, runtime, inputs, *, steps, warmup_s=0.0, budget_s=1e9, min_samples=1, max_samples=6):
    workload = Workload(kind=kind, batch=len(inputs), time=steps)
    work = {"score": Score, "decode": Decode, "generate": Generate}[kind]
    return measure(
        partial(work, runtime, MODEL, workload, inputs),
        clock=runtime.clock,
        warmup_s=warmup_s,
        budget_s=budget_s,
        min_samples=min_samples,
        max_samples=max_samples,
    )


def test_decoding_feeds_the_argmax_back_carries_the_state_and_restarts_after_t_steps():
    runtime = Counting()
    timed("decode", runtime, np.array([[3, 9], [8, 9]]), steps=3, max_samples=7)
    first, second, third = [[3], [8]], [[4], [9]], [[5], [0]]
    once = [(first, None), (second, 1), (third, 2)]
    assert runtime.seen == [(first, None), *once, *once, (first, None)]  # one warm-up step, then seven samples


def test_scoring_calls_on_all_of_the_inputs_from_zero_state():
    runtime = Counting()
    timed("score", runtime, np.array([[3, 9], [8, 9]]), steps=2, max_samples=2)
    assert runtime.seen == [([[3, 9], [8, 9]], None)] * 3


def test_the_warm_up_is_no_sample():
    runtime = Counting(takes_s=2.0)
    samples = timed("score", runtime, np.array([[1]]), steps=1, warmup_s=5.0, max_samples=2)
    assert samples.warmup_s == (2.0, 2.0, 2.0), "it goes on until five seconds have passed"
    assert samples.sample_s == (2.0, 2.0)
    assert samples.start_s == (106.0, 108.0)


def test_what_happens_between_samples_is_in_none_of_them():
    runtime = Counting()

    class Settling(Score):
        def settle(self):
            runtime.clock.now_s += 50.0
            super().settle()

    workload = Workload(kind="score", batch=1, time=1)
    make = partial(Settling, runtime, MODEL, workload, np.array([[1]]))
    samples = measure(make, clock=runtime.clock, warmup_s=0.0, budget_s=1e9, min_samples=1, max_samples=3)
    assert samples.sample_s == (1.0, 1.0, 1.0)
    assert samples.start_s == (151.0, 202.0, 253.0)


@settings(deadline=None)  # a shared machine may pause anywhere
@given(
    takes_s=st.floats(0.001, 10),
    warmup_s=st.floats(0, 5),
    budget_s=st.floats(0, 5),
    max_samples=st.integers(1, 20),
    kind=st.sampled_from(["score", "decode"]),
)
def test_samples_end_with_the_budget_or_their_number_whichever_is_first(takes_s, warmup_s, budget_s, max_samples, kind):
    takes_s = max(takes_s, (warmup_s + budget_s) / 200)
    samples = timed(
        kind,
        Counting(takes_s=takes_s),
        np.array([[1]]),
        steps=1,
        warmup_s=warmup_s,
        budget_s=budget_s,
        max_samples=max_samples,
    )
    n = len(samples.sample_s)
    assert 1 <= n <= max_samples
    assert n == 1 or (n - 1) * takes_s < budget_s + 1e-9, "no sample was begun after the budget"
    assert n == max_samples or n * takes_s >= budget_s - 1e-9, "none was left out"
    assert np.all(np.diff(samples.start_s) > 0)
    assert len(samples.warmup_s) >= 1
    assert sum(samples.warmup_s) >= warmup_s - 1e-9


def test_as_many_samples_are_taken_as_a_median_needs_whatever_they_take():
    runtime = Counting(takes_s=60.0)
    samples = timed("score", runtime, np.array([[1]]), steps=1, budget_s=0.1, min_samples=7, max_samples=9)
    assert len(samples.sample_s) == 7


def test_garbage_is_not_collected_while_timing_and_is_afterwards():
    runtime = Counting()
    timed("decode", runtime, np.array([[1]]), steps=2)
    assert not any(runtime.collecting)
    assert gc.isenabled()


def test_garbage_collection_that_was_off_stays_off():
    gc.disable()
    try:
        timed("score", Counting(), np.array([[1]]), steps=1)
        assert not gc.isenabled()
    finally:
        gc.enable()


class OneStepShort(Counting):
    """Right at first, wrong from its third call: what a check of the warm-up alone would miss."""

    def run(self, inputs, state):
        logits, after = super().run(inputs, state)
        return (logits, after) if len(self.seen) < 3 else (logits.astype(np.float64), after)


@pytest.mark.parametrize("kind", ["score", "decode"])
def test_every_answer_is_checked_not_only_the_first(kind):
    with pytest.raises(ContractError, match="not float64"):
        timed(kind, OneStepShort(), np.array([[1]]), steps=1)


class NotANumberLater(Counting):
    """Right when it is checked, NaN from its third call."""

    def run(self, inputs, state):
        logits, after = super().run(inputs, state)
        return (logits, after) if len(self.seen) < 3 else (logits * np.float32("nan"), after)


@pytest.mark.parametrize("kind", ["score", "decode"])
def test_no_time_is_taken_of_what_is_not_a_number(kind):
    with pytest.raises(WorkerError, match="logits holds NaN or infinity while it is timed"):
        timed(kind, NotANumberLater(), np.array([[1]]), steps=1)


class Drawing(Counting):
    """Draws token + 1, from its third call on as `then` says."""

    def __init__(self, then=lambda tokens, state: (tokens, state)):
        super().__init__()
        self.then = then

    def generate(self, prompt, state, uniform, *, temperature, top_k):
        self.clock.now_s += self.takes_s
        self.collecting.append(gc.isenabled())
        self.seen.append((prompt.tolist(), state, uniform.copy(), temperature, top_k))
        shape = MODEL.state_shape(len(prompt))
        answer = (prompt + 1 + np.arange(uniform.shape[1])) % 10, State(*np.zeros((2, *shape), np.float32))
        return answer if len(self.seen) < 3 else self.then(*answer)


def test_generating_is_one_call_a_sample_from_the_first_column_drawn_at_the_same_numbers_each_time():
    runtime = Drawing()
    samples = timed("generate", runtime, np.array([[3, 9], [8, 9]]), steps=2, max_samples=2)
    assert samples.sample_s == (1.0, 1.0)
    assert not any(runtime.collecting)
    for prompt, state, uniform, temperature, top_k in runtime.seen:
        assert (prompt, state, temperature, top_k) == ([[3], [8]], None, 1.0, 0)
        assert uniform.shape == (2, 2)
        assert uniform.dtype == np.float32
        np.testing.assert_array_equal(uniform, runtime.seen[0][2])
    assert len(np.unique(runtime.seen[0][2])) == 4


@pytest.mark.parametrize(
    ("then", "error", "message"),
    [
        (lambda tokens, state: (tokens[:, 1:], state), ContractError, r"tokens as int64 \(1, 3\), not int64 \(1, 2\)"),
        (lambda tokens, state: (tokens.astype(np.int32), state), ContractError, r"not int32"),
        (lambda tokens, state: (tokens + 10, state), ContractError, r"ids in 0\.\.9, not in 12\.\.14"),
        (lambda tokens, _state: tokens, ContractError, r"generate must answer \(tokens, State"),
        (lambda tokens, state: (tokens, State(state.h[0], state.c)), ContractError, r"h_n as float32"),
        (lambda tokens, state: (tokens, State(state.h, state.c * np.float32("nan"))), WorkerError, r"c_n holds NaN"),
    ],
)
def test_what_is_drawn_is_checked_at_every_call(then, error, message):
    with pytest.raises(error, match=message):
        timed("generate", Drawing(then), np.array([[1]]), steps=3)
