# ruff: noqa: ARG002 (the signatures are the contract's)
"""Region `compute`: what is in a sample, what is not, and that what was computed so is what the check saw."""

from functools import partial

import numpy as np
import pytest

from lstmbench.arrays import State
from lstmbench.errors import AnswerError, WorkerError
from lstmbench.records import ModelConfig, Workload
from lstmbench.worker.kinds import WORK
from lstmbench.worker.timing import measure, with_lengths

MODEL = ModelConfig(head="lm", peephole="none", input_size=2, hidden_size=3, vocabulary_size=10)
TOKENS = np.array([[3, 9], [8, 1]])


class Device:
    """Computes in 1 s, copies in 10 s and out 100 s; token + 1 + what the state counts is the likeliest next."""

    def __init__(self):
        self.now_s = 100.0

    def __call__(self):
        return self.now_s

    def run(self, inputs, state):
        count = np.float32(0 if state is None else state.c[0, 0, 0])
        logits = -((np.arange(10) - inputs[..., None] - 1 - count) % 10).astype(np.float32)  # (B, T, V)
        shape = MODEL.state_shape(len(inputs))
        return logits, State(np.full(shape, 7, np.float32), np.full(shape, count + 1, np.float32))

    def hold(self, inputs, state):
        self.now_s += 10
        return HeldCall(self, inputs, state)


class HeldCall:
    def __init__(self, device, inputs, state):
        self.device, self.inputs, self.state = device, inputs, state

    def compute(self):
        self.device.now_s += 1
        self.result = self.device.run(self.inputs, self.state)

    def answer(self):
        self.device.now_s += 100
        return self.result


class Stale(Device):
    """Computes what it was given first."""

    first = None

    def hold(self, inputs, state):
        self.first = self.first or HeldCall(self, inputs, state)
        return self.first


class ForgetsTheState(Device):
    def hold(self, inputs, state):
        return HeldCall(self, inputs, None)


class AnswersNothing(Device):
    """Returns before it has computed: what is copied is what was there before."""

    def hold(self, inputs, state):
        held = HeldCall(self, inputs, state)
        held.result = self.run(inputs * 0, None)
        held.compute = lambda: None
        return held


def compute(device, kind, *, inputs=TOKENS, steps=2, samples=5):
    workload = Workload(kind=kind, batch=len(inputs), time=steps, region="compute")
    make = partial(WORK[kind, "compute"], device, MODEL, workload, inputs)
    return measure(make, clock=device, warmup_s=0, budget_s=1e9, min_samples=1, max_samples=samples)


@pytest.mark.parametrize("kind", ["score", "decode"])
def test_a_sample_is_the_computation_without_its_copies(kind):
    assert compute(Device(), kind).sample_s == (1.0,) * 5


def test_decoding_feeds_the_argmax_back_and_carries_the_state_between_the_samples():
    device, seen = Device(), []
    hold = device.hold
    device.hold = lambda inputs, state: (
        seen.append((inputs[:, 0].tolist(), state and state.c[0, 0, 0])),
        hold(inputs, state),
    )[1]
    compute(device, "decode", steps=2, samples=2)
    once = [([3, 8], None), ([4, 9], 1)]
    assert seen[2:] == [*once, ([3, 8], None)], "from zero again after two steps"


@pytest.mark.parametrize(
    ("wrong", "kind"),
    [(Stale, "score"), (Stale, "decode"), (ForgetsTheState, "decode"), (AnswersNothing, "score")],
)
def test_what_is_computed_otherwise_than_end_to_end_is_a_wrong_answer(wrong, kind):
    with pytest.raises(AnswerError, match="answers otherwise"):
        compute(wrong(), kind)


def test_a_runtime_that_cannot_hold_has_no_such_time():
    class Plain:
        def run(self, inputs, state):
            raise AssertionError

    with pytest.raises(WorkerError, match="has no 'hold'"):
        WORK["score", "compute"](Plain(), MODEL, Workload(kind="score", batch=2, time=2, region="compute"), TOKENS)


def test_lengths_go_along():
    seen = []

    class Ragged(Device):
        def run(self, inputs, state, *, lengths):
            seen.append(lengths)
            return super().run(inputs, state)

        def hold(self, inputs, state, *, lengths):
            seen.append(lengths)
            return HeldCall(Device(), inputs, state)

    ends = np.array([2, 1], np.int32)
    workload = Workload(kind="score", batch=2, time=2, region="compute")
    work = WORK["score", "compute"](with_lengths(Ragged(), ends), MODEL, workload, TOKENS)
    work.step()
    work.settle()
    assert len(seen) == 3
    assert all(lengths is ends for lengths in seen)
