"""Region `compute`: the calls of `score` and `decode` without their copies, held against the same calls with them."""

from typing import cast

import numpy as np

from lstmbench.arrays import Floats, State, Tokens
from lstmbench.errors import AnswerError, WorkerError
from lstmbench.records import ModelConfig, Workload
from lstmbench.runtimes import Held, Holds
from lstmbench.worker.timing import Decode, Runs, Score, holds

_ALIKE = 1e-3  # of the largest number: the same engine on the same inputs; threads may add in another order


class HeldScore(Score):
    """One call on inputs that are held, from zero state."""

    def __init__(self, runtime: Runs, model: ModelConfig, workload: Workload, inputs: Tokens | Floats) -> None:
        super().__init__(runtime, model, workload, inputs)
        self._same = _Same(runtime, calls=1)
        _hold(runtime, inputs[::-1, ::-1].copy(), None).compute()  # what that leaves is no answer to what follows
        self._held = _hold(runtime, inputs, None)

    def step(self) -> None:
        """Compute alone."""
        self._held.compute()

    def settle(self) -> None:
        """Copy the answer, and check it."""
        self._answer = self._held.answer()
        super().settle()
        self._same.demand(self._answer, self._inputs, None)


class HeldDecode(Decode):
    """Token by token as Decode, where the argmax and all copies are between the samples."""

    def __init__(self, runtime: Runs, model: ModelConfig, workload: Workload, inputs: Tokens | Floats) -> None:
        super().__init__(runtime, model, workload, inputs)
        self._same = _Same(runtime, calls=2)  # from zeros, and from a state over what the first has left
        self._held = _hold(runtime, self._tokens, None)

    def step(self) -> None:
        """Compute alone."""
        self._held.compute()

    def settle(self) -> None:
        """Copy the answer, check it, and hold the next token and state."""
        self._answer, given, before = self._held.answer(), self._tokens, self._state
        self._tokens = self.next_tokens()
        super().settle()
        self._same.demand(self._answer, given, before)
        self._held = _hold(self._runtime, self._tokens, self._state)


class _Same:
    """AnswerError where what was computed on held inputs is not what the call gives that the check saw."""

    def __init__(self, runtime: Runs, *, calls: int) -> None:
        self._runtime, self._left = runtime, calls

    def demand(self, answer: tuple[Floats, State], inputs: Tokens | Floats, state: State | None) -> None:
        """Compare with the call itself, of the first calls."""
        if not self._left:
            return
        self._left -= 1
        output, after = self._runtime.run(inputs, state)
        for got, want in zip((answer[0], *answer[1]), (output, *after), strict=True):
            if not np.abs(got - want).max() <= _ALIKE * np.abs(want).max():
                raise AnswerError("in region 'compute' the runtime answers otherwise than when it is called end to end")


def _hold(runtime: Runs, inputs: Tokens | Floats, state: State | None) -> Held:
    if not holds(runtime):
        raise WorkerError(
            "the runtime's adapter has no 'hold', so that its copies cannot be left out: time it end to end"
        )
    return cast("Holds", runtime).hold(inputs, state)
