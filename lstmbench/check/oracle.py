"""What each output must be, and how far float32 may stray from it; computed once for all runtimes."""

import functools
from typing import NamedTuple

import numpy as np

from lstmbench import parity
from lstmbench.arrays import Floats, State, Tokens
from lstmbench.check.cases import Case
from lstmbench.model import stimulus
from lstmbench.parity import Expected
from lstmbench.records import ExportedModel
from lstmbench.runtimes import unchanged

_SEED = 20_000  # no seed that trains or times


class Question(NamedTuple):
    """What a runtime is given, and what it must answer."""

    inputs: Tokens | Floats
    state: State | None
    expected: tuple[Expected, ...]  # the head's own output, h_n, c_n


class Oracle:
    """The NumPy reference with the weights of one export; CheckpointError if they were trained again since."""

    def __init__(self, exported: ExportedModel) -> None:
        self._model, self._weights = exported.model, unchanged.weights(exported)
        self._precision, self._operator = exported.record.precision, exported.record.form == "lstm"
        self._ask = functools.cache(self._compute)

    def ask(self, case: Case) -> Question:
        """The question of a case; however the sequence is cut, it is the same in all precisions but int8."""
        chunks = case.chunks if self._precision == "int8" else (case.time,)
        return self._ask(case.batch, chunks, case.lengths, stateful=case.state == "random")

    def _compute(self, batch: int, chunks: tuple[int, ...], lengths: tuple[int, ...], *, stateful: bool) -> Question:
        inputs = stimulus.inputs(self._model, batch=batch, time=sum(chunks), seed=_SEED)
        state = stimulus.state(self._model, batch=batch, seed=_SEED) if stateful else None
        ends = np.array(lengths) if lengths else None
        expected = parity.expect(
            self._model,
            self._weights,
            inputs,
            state,
            lengths=ends,
            precision=self._precision,
            chunks=chunks,
            operator=self._operator,
        )
        return Question(inputs, state, expected)
