"""The export as a black box: what goes in, what comes out, and how often it was asked."""

from typing import Any, NamedTuple

import numpy as np

from lstmbench.arrays import Floats, Lengths, State
from lstmbench.errors import LstmbenchError
from lstmbench.records import TIMED, ExportedModel
from lstmbench.worker import Worker

MOST_ROWS = 256  # of one call: what bounds memory


class Answer(NamedTuple):
    """What one call gave."""

    output: Any  # logits (B, T, V) or y (B, T, D·H); of form `generate` the tokens drawn, (B, 1)
    h: Floats  # (D·L, B, H)
    c: Floats


class Box:
    """One export on one runtime, of which nothing is known but its inputs and outputs."""

    def __init__(self, worker: Worker, exported: ExportedModel) -> None:
        self._worker, self.exported, self.probes = worker, exported, 0

    @property
    def steps(self) -> int | None:
        """Steps of the shortest call; None where a call of one step can be asked for."""
        steps, lengths = self.exported.steps, self.exported.record.lengths
        return None if steps in (None, 1) or lengths else steps

    def call(self, inputs: Any, state: State | None, *, lengths: Lengths | None = None) -> Answer:
        """Run inputs (B, T) or (B, T, E) from a state (D·L, B, H)."""
        self.probes += 1
        if self.exported.draws:
            uniform = np.full((len(inputs), 1), 0.5, np.float32)
            drawn, after = self._worker.generate(inputs, uniform, TIMED, state)
            return Answer(drawn, after.h, after.c)
        output, after = self._worker.run(inputs, state, lengths=lengths)
        return Answer(output, after.h, after.c)

    def step(self, inputs: Any, state: State) -> Answer:
        """Take one step: inputs (B, 1) or (B, 1, E); a form of N steps with lengths is given rows of length 1."""
        if len(inputs) > MOST_ROWS:
            raise LstmbenchError(f"a probe has {len(inputs)} rows, at most {MOST_ROWS} are meant")
        steps = self.exported.steps
        if steps in (None, 1):
            return self.call(inputs, state)
        padded = np.repeat(inputs, steps, axis=1)
        answer = self.call(padded, state, lengths=np.ones(len(inputs), np.int32))
        return answer._replace(output=answer.output[:, :1])
