"""What each output must be, and how far float32 may stray from it; computed once for all runtimes."""

import functools
from typing import NamedTuple

import numpy as np

from lstmbench import parity
from lstmbench.arrays import Floats, State, Tokens
from lstmbench.check.cases import Case
from lstmbench.model import reference, sampling, stimulus
from lstmbench.parity import Expected
from lstmbench.records import ExportedModel
from lstmbench.runtimes import unchanged

_SEED = 20_000  # no seed that trains or times


class Question(NamedTuple):
    """What a runtime is given, and what it must answer."""

    inputs: Tokens | Floats  # the prompt, where the graph draws
    state: State | None
    expected: tuple[Expected, ...]  # the head's own output, h_n, c_n
    uniform: Floats | None = None  # (B, N): what is drawn at, where the graph draws


class Oracle:
    """The NumPy reference with the weights of one export; CheckpointError if they were trained again since."""

    def __init__(self, exported: ExportedModel) -> None:
        self._model, self._weights = exported.model, unchanged.weights(exported)
        self._precision, self._operator = exported.record.precision, exported.record.form == "lstm"
        self._ask, self._ask_to_draw = functools.cache(self._compute), functools.cache(self._decode)
        self._followed = functools.cache(self._follow)

    def ask(self, case: Case) -> Question:
        """The question of a case; however the sequence is cut, it is the same in all precisions but int8."""
        if case.decoding:
            return self._ask_to_draw(case._replace(chunks=()))
        chunks = case.chunks if self._precision == "int8" else (case.time,)
        return self._ask(case.batch, chunks, case.lengths, stateful=case.state == "random")

    def follow(self, case: Case, tokens: Tokens) -> tuple[Expected, ...]:
        """What must come out of a case where the graph drew these tokens (B, N), and so was fed them."""
        return self._followed(case._replace(chunks=()), tokens.tobytes())

    def _compute(self, batch: int, chunks: tuple[int, ...], lengths: tuple[int, ...], *, stateful: bool) -> Question:
        inputs = stimulus.inputs(self._model, batch=batch, time=sum(chunks), seed=_SEED)
        state = self._state(batch, stateful=stateful)
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

    def _decode(self, case: Case) -> Question:
        """The question, with what is expected where the reference itself draws."""
        prompt, state, how = *self._start(case), case.decoding
        assert how is not None
        uniform = stimulus.uniform(batch=case.batch, time=case.time, seed=_SEED)
        run = functools.partial(reference.run, self._model, self._weights)
        tokens, _ = sampling.decode(run, prompt, state, uniform, temperature=how.temperature, top_k=how.top_k)
        return Question(prompt, state, self.follow(case, tokens), uniform)

    def _follow(self, case: Case, tokens: bytes) -> tuple[Expected, ...]:
        drawn = np.frombuffer(tokens, np.int64).reshape(case.batch, case.time)
        known = (self._model, self._weights, *self._start(case))
        return parity.expect_draws(*known, drawn, precision=self._precision)

    def _start(self, case: Case) -> tuple[Tokens, State | None]:
        """The prompt, and the state before it."""
        assert case.decoding is not None
        prompt = stimulus.tokens(self._model, batch=case.batch, time=case.decoding.prompt, seed=_SEED)
        return prompt, self._state(case.batch, stateful=case.state == "random")

    def _state(self, batch: int, *, stateful: bool) -> State | None:
        return stimulus.state(self._model, batch=batch, seed=_SEED) if stateful else None
