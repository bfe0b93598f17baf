"""A request as its user waits for it: the prompt is read, then tokens come one by one."""

import time
from collections.abc import Iterator
from itertools import pairwise

import numpy as np

from lstmbench.arrays import Floats, State, Tokens
from lstmbench.records import ModelConfig, Workload
from lstmbench.runtimes import Runtime
from lstmbench.worker.shapes import demand_answer, demand_finite
from lstmbench.worker.timing import Clock, Runs


class Request:
    """A prompt (B, T) in one call from zero state, then N - 1 calls on the token before, the state carried.

    `token_s` are the times of all requests so far: of each, from its start to the first token (time to first token),
    then from each token to the next (inter-token latencies). A token is there when its argmax is.
    """

    def __init__(
        self,
        runtime: Runs,
        model: ModelConfig,
        workload: Workload,
        inputs: Tokens | Floats,
        *,
        clock: Clock = time.perf_counter,
    ) -> None:
        assert workload.new is not None, "a request has new tokens"
        self._runtime, self._model, self._workload = runtime, model, workload
        self._prompt, self._new, self._clock = inputs, workload.new, clock
        self.token_s: list[float] = []

    def step(self) -> None:
        """All of a request; nothing else is done between its tokens than to look at the clock."""
        self._stamps = [self._clock()]
        for answer in self._answers():
            self._last = answer
            self._stamps.append(self._clock())

    def settle(self) -> None:
        """Note the times; check the last answer: a state that was NaN once is so to the end."""
        self.token_s += [after - before for before, after in pairwise(self._stamps)]
        steps = self._workload.chunks[-1]
        demand_finite(self._model, demand_answer(self._model, self._last, batch=self._workload.batch, time=steps))

    def _answers(self) -> Iterator[tuple[Floats, State]]:
        tokens, state = self._prompt, None
        for _ in range(self._new):
            answer = self._runtime.run(tokens, state)
            tokens, state = answer[0][:, -1].argmax(axis=-1)[:, None], answer[1]  # (B, V) -> (B, 1)
            yield answer


class WholeRows:
    """A runtime that takes lengths, told at each call that its rows end with it."""

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime

    def run(self, inputs: Tokens | Floats, state: State | None) -> tuple[Floats, State]:
        """The same call, every row as long as it."""
        return self._runtime.run(inputs, state, lengths=np.full(len(inputs), inputs.shape[1], np.int32))
