"""Calls that go on from each other on a runtime that keeps the state where it computes: timed so, and checked so."""

from functools import partial
from typing import TypeGuard, cast

import numpy as np

from lstmbench.arrays import Floats, Lengths, State, Tokens
from lstmbench.records import ModelConfig, Workload
from lstmbench.runtimes import Carried, Carries, Runtime
from lstmbench.worker.timing import Decode, with_lengths


def carries(runtime: object) -> TypeGuard[Carries]:
    """Whether it has a state that stays."""
    return callable(getattr(runtime, "carry", None))


class GoesOn:
    """A runtime as it is asked: from the very state that its last call gave, it goes on where that one left it."""

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime
        self._carried: Carried | None = None
        self._last: State | None = None

    def run(self, inputs: Tokens | Floats, state: State | None, lengths: Lengths | None) -> tuple[Floats, State]:
        """Compute once, as `Runtime.run` does."""
        if state is None or self._last is None or not _same(state, self._last) or not carries(self._runtime):
            self._carried, answer = None, with_lengths(self._runtime, lengths).run(inputs, state)
        else:
            carried = self._carried = self._carried or self._runtime.carry(state, batch=len(inputs))
            output = carried.run(inputs) if lengths is None else carried.run(inputs, lengths=lengths)
            answer = output, carried.state()
        self._last = answer[1]
        return answer


class CarriedDecode(Decode):
    """Token by token as Decode; of the state nothing is copied within a step."""

    def __init__(
        self, runtime: Carries, model: ModelConfig, workload: Workload, inputs: Tokens | Floats, ends: Lengths | None
    ) -> None:
        super().__init__(cast("Runtime", runtime), model, workload, inputs)
        self._begin = partial(runtime.carry, None, batch=workload.batch)
        self._carried, self._more = self._begin(), {} if ends is None else {"lengths": ends}

    def step(self) -> None:
        """One token a row: call and argmax."""
        self._output = self._carried.run(self._tokens, **self._more)
        self._tokens = self._output[:, -1].argmax(axis=-1)[:, None]  # (B, V) -> (B, 1)

    def settle(self) -> None:
        """Copy the state and check it with the output; begin again after T steps."""
        self._answer = self._output, self._carried.state()
        super().settle()
        if self._state is None:
            self._carried = self._begin()


def _same(one: State, other: State) -> bool:
    return all(np.array_equal(a, b) for a, b in zip(one, other, strict=True))
