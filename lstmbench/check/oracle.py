"""What each output must be, and how far float32 may stray from it; computed once for all runtimes."""

import functools
from typing import NamedTuple

import numpy as np

from lstmbench import parity
from lstmbench.arrays import Floats, Lengths, State, Tokens
from lstmbench.check.cases import Case
from lstmbench.model import reference, sampling, stimulus
from lstmbench.parity import Expected
from lstmbench.records import ExportedModel
from lstmbench.runtimes import unchanged

_SEED = 20_000  # no seed that trains or times
_SPOILT = np.array([np.nan, 1e30, -1e30], np.float32)  # what a mask that multiplies, or a mean over all, lets through


class Question(NamedTuple):
    """What a runtime is given, R rows (B, or one a step), and what it must answer."""

    inputs: Tokens | Floats  # the prompt, where the graph draws
    state: State | None
    expected: tuple[Expected, ...]  # the head's own output, h_n, c_n
    uniform: Floats | None = None  # (R, N): what is drawn at, where the graph draws
    lengths: Lengths | None = None  # (R,), all calls together

    def chunks(self, case: Case) -> tuple[int, ...]:
        """Steps, or tokens drawn, of each call."""
        return case.chunks[:1] if case.asked == "steps" else case.chunks

    def ends(self, start: int, steps: int) -> Lengths | None:
        """Lengths (R,) of the call that takes these steps: all of them but in the last, where rows may end."""
        return None if self.lengths is None else self.lengths.clip(0, start + steps) - np.int32(start)


class Oracle:
    """The NumPy reference with the weights of one export; CheckpointError if they were trained again since."""

    def __init__(self, exported: ExportedModel) -> None:
        self._model, self._weights = exported.model, unchanged.weights(exported)
        self._precision, self._operator = exported.record.precision, exported.record.form == "lstm"
        self._steps = exported.steps
        self._expect, self._ask_to_draw = functools.cache(self._compute), functools.cache(self._decode)
        self._followed = functools.cache(self._follow)

    def ask(self, case: Case) -> Question:
        """The question of a case; however it is asked, the answer is one in all precisions but int8.

        There the numbers of a call are rounded together, those behind a row's end too.
        """
        if case.decoding:
            return self._from_zeros(case, self._ask_to_draw(_as_known(case)))
        known = _as_known(case)
        if self._precision == "int8" and case.asked != "steps":
            known = known._replace(chunks=case.chunks, asked="padded" if case.asked == "padded" else "plain")
        question = self._from_zeros(case, self._expect(known))
        return self._padded(case, question) if case.asked == "padded" else question

    def follow(self, case: Case, tokens: Tokens) -> tuple[Expected, ...]:
        """What must come out of a case where the graph drew these tokens (R, N), and so was fed them."""
        return self._followed(_as_known(case), tokens.tobytes())

    def _from_zeros(self, case: Case, question: Question) -> Question:
        if case.state != "zeros":
            return question
        zeros = np.zeros(self._model.state_shape(case.batch), np.float32)
        return question._replace(state=State(zeros, zeros.copy()))

    def _padded(self, case: Case, question: Question) -> Question:
        """Other tokens, or features that spoil whatever they reach, behind the end of each row."""
        behind = np.arange(case.time) >= np.array(case.lengths)[:, None]  # (B, T)
        inputs = question.inputs.copy()
        if self._model.head == "lm":
            inputs[behind] = (inputs[behind] + 1) % self._model.vocabulary_size
        elif self._precision == "int8":  # its scale is that of all numbers of a call
            inputs[behind] = -inputs[behind]
        else:
            inputs[behind] = np.resize(_SPOILT, inputs[behind].shape)
        return question._replace(inputs=inputs)

    def _anchored(self, case: Case) -> bool:
        """Whether each row of the call is a step from the reference's own state; N steps may part as any run may."""
        return case.asked == "steps" and (self._steps or 1) == 1

    def _compute(self, case: Case) -> Question:
        question = self._question(case)
        if case.asked == "padded":
            question = self._padded(case, question)
        expected = parity.expect(
            self._model,
            self._weights,
            question.inputs,
            question.state,
            lengths=question.lengths,
            precision=self._precision,
            chunks=question.chunks(case) if self._precision == "int8" else None,
            operator=self._operator,
            anchored=self._anchored(case),
        )
        return question._replace(expected=expected)

    def _question(self, case: Case) -> Question:
        """Without its answer."""
        inputs = stimulus.inputs(self._model, batch=case.batch, time=case.time, seed=_SEED)
        state, lengths = self._state(case), np.array(case.lengths, np.int32) if case.lengths else None
        if case.asked == "steps":
            known = (self._model, self._weights, inputs, state)
            steps = case.chunks[0]
            inputs, state, lengths = parity.windows(*known, steps=steps, lengths=lengths, precision=self._precision)
        return Question(inputs, state, (), lengths=lengths)

    def _decode(self, case: Case) -> Question:
        """The question, with what is expected where the reference itself draws."""
        prompt, state, how = *self._start(case), case.decoding
        assert how is not None
        uniform = stimulus.uniform(batch=len(prompt), time=_drawn(case), seed=_SEED)
        run = functools.partial(reference.run, self._model, self._weights)
        tokens, _ = sampling.decode(run, prompt, state, uniform, temperature=how.temperature, top_k=how.top_k)
        return Question(prompt, state, self.follow(case, tokens), uniform)

    def _follow(self, case: Case, tokens: bytes) -> tuple[Expected, ...]:
        prompt, state = self._start(case)
        drawn = np.frombuffer(tokens, np.int64).reshape(len(prompt), _drawn(case))
        anchored = self._anchored(case)
        known = (self._model, self._weights, prompt, state)
        return parity.expect_draws(*known, drawn, precision=self._precision, anchored=anchored)

    def _start(self, case: Case) -> tuple[Tokens, State | None]:
        """The prompt, and the state before it; of single steps (R, 1)."""
        assert case.decoding is not None
        time = case.time if case.asked == "steps" else case.decoding.prompt
        prompt = stimulus.tokens(self._model, batch=case.batch, time=time, seed=_SEED)
        if case.asked != "steps":
            return prompt, self._state(case)
        rows = parity.windows(self._model, self._weights, prompt, self._state(case), precision=self._precision)
        return rows.inputs.astype(np.int64), rows.state

    def _state(self, case: Case) -> State | None:
        return stimulus.state(self._model, batch=case.batch, seed=_SEED) if case.state == "random" else None


def _as_known(case: Case) -> Case:
    """The case whose answer it shares: zeros are no state, and only single steps are another question."""
    state = "none" if case.state == "zeros" else case.state
    if case.asked == "steps":
        return case._replace(state=state)
    return case._replace(state=state, asked="plain", chunks=(case.time,))


def _drawn(case: Case) -> int:
    """Tokens a row and call together."""
    return 1 if case.asked == "steps" else case.time
