"""Decoding on a runtime that keeps the state: what is timed copies none of it, and begins again as Decode does."""

# ruff: noqa: ARG002 (the signatures are the contract's)

import numpy as np
import pytest

from lstmbench.arrays import State
from lstmbench.records import ModelConfig, Workload
from lstmbench.worker.carried import CarriedDecode, GoesOn
from lstmbench.worker.timing import Decode

MODEL = ModelConfig(head="lm", peephole="full", input_size=3, hidden_size=4, vocabulary_size=7)
TOKENS = np.array([[1, 2, 3], [4, 5, 6]])


class Counts:
    """Logits point at token + number of the call; h holds that number. It notes what is asked of it."""

    def __init__(self):
        self.log = []

    def run(self, inputs, state, **more):
        self.log.append("run")
        n = 0 if state is None else int(state.h.flat[0])
        logits = np.eye(7, dtype=np.float32)[(inputs + n) % 7]
        return logits, State(*(np.full((1, 2, 4), n + 1, np.float32) for _ in "hc"))

    def carry(self, state, *, batch):
        self.log.append(f"carry {batch} {'zeros' if state is None else int(state.h.flat[0])}")
        return Chain(self, state)


class Chain:
    def __init__(self, of, state):
        self.of, self.now = of, state

    def run(self, inputs, **more):
        output, self.now = Counts().run(inputs, self.now)
        self.of.log.append(f"step {inputs[:, 0].tolist()} {sorted(more)}")
        return output

    def state(self):
        self.of.log.append("copy")
        return self.now


@pytest.mark.parametrize("ends", [None, np.ones(2, np.int32)])
def test_a_step_copies_no_state_and_takes_the_tokens_that_decode_takes(ends):
    runtime, plain = Counts(), Counts()
    workload = Workload(kind="decode", batch=2, time=3)
    carried = CarriedDecode(runtime, MODEL, workload, TOKENS, ends)
    decode = Decode(plain, MODEL, workload, TOKENS)
    for _ in range(5):
        runtime.log.clear()
        carried.step()
        decode.step()
        (step,) = runtime.log
        assert step.endswith("[]" if ends is None else "['lengths']")
        assert np.array_equal(carried._tokens, decode._tokens)
        carried.settle()
        decode.settle()
    assert carried._steps == decode._steps == 2


def test_it_begins_again_from_zeros_after_all_steps():
    runtime = Counts()
    work = CarriedDecode(runtime, MODEL, Workload(kind="decode", batch=2, time=2), TOKENS, None)
    for _ in range(4):
        work.step()
        work.settle()
    assert [line for line in runtime.log if line.startswith("carry")] == ["carry 2 zeros"] * 3
    assert runtime.log[1] == "step [1, 4] []"
    assert runtime.log[6] == "step [1, 4] []"


def test_a_call_goes_on_only_from_the_very_state_that_the_last_one_gave():
    runtime = Counts()
    asked = GoesOn(runtime)
    _, first = asked.run(TOKENS, None, None)
    _, second = asked.run(TOKENS, State(first.h.copy(), first.c.copy()), None)
    _, third = asked.run(TOKENS, second, None)
    assert third.h.flat[0] == 3
    carried = [line for line in runtime.log if line != "copy"]
    assert carried == ["run", "carry 2 1", "step [1, 4] []", "step [1, 4] []"]
    runtime.log.clear()
    asked.run(TOKENS, first, None)
    assert runtime.log == ["run"], "another state is no going on"


def test_a_runtime_that_carries_nothing_is_called_as_ever():
    runtime = Counts()
    runtime.carry = None
    asked = GoesOn(runtime)
    _, first = asked.run(TOKENS, None, None)
    asked.run(TOKENS, first, None)
    assert runtime.log == ["run", "run"]
