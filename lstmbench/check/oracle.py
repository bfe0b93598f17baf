"""What each output must be, and how far float32 may stray from it; computed once for all runtimes."""

import functools
from collections.abc import Sequence
from typing import Any

import numpy as np

from lstmbench import parity
from lstmbench.arrays import State, Tokens
from lstmbench.check import vocabulary
from lstmbench.check.case import Case
from lstmbench.check.question import Question, inputs_of, prompt_of, state_of, uniform_of
from lstmbench.model import reference, sampling
from lstmbench.parity import Expected
from lstmbench.records import ExportedModel
from lstmbench.runtimes import unchanged

_SPOILT = np.array([np.nan, 1e30, -1e30], np.float32)  # what a mask that multiplies, or a mean over all, lets through


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
        if not self._whole(case):
            return self._decode(case) if case.decoding else self._compute(case)
        if case.decoding:
            return self._from_zeros(case, self._ask_to_draw(_as_known(case)))
        known = _as_known(case)
        if self._precision == "int8" and case.asked != "steps":
            known = known._replace(chunks=case.chunks, asked="padded" if case.asked == "padded" else known.asked)
        question = self._from_zeros(case, self._expect(known))
        return self._padded(case, question) if case.asked == "padded" else question

    def follow(self, case: Case, tokens: Tokens) -> tuple[Expected, ...]:
        """What must come out of a case where the graph drew these tokens (R, N), and so was fed them."""
        follow = self._followed if self._whole(case) else self._follow
        return follow(_as_known(case), tokens.tobytes())

    def looks(self, case: Case, question: Question, answer: Sequence[Any]) -> str:
        """What a wrong answer of a file in fp32 looks like; empty where that cannot be told."""
        if self._precision != "fp32" or case.decoding:
            return ""
        given = question.inputs, question.state, question.lengths
        return parity.coarser(self._model, self._weights, given, question.expected, answer)

    def _whole(self, case: Case) -> bool:
        """Whether it is remembered for other runtimes; not where the vocabulary takes several calls: they are large."""
        return self._columns(case) == parity.ALL

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
        columns = self._columns(case)
        expected = parity.expect(
            *vocabulary.of_columns(self._model, self._weights, columns),
            question.inputs,
            question.state,
            lengths=question.lengths,
            precision=self._precision,
            chunks=question.chunks(case) if self._precision == "int8" else None,
            operator=self._operator,
            anchored=self._anchored(case),
            large=case.state == "large",
        )
        first, *states = expected
        return question._replace(expected=(first._replace(columns=columns), *states))

    def _columns(self, case: Case) -> slice:
        """Of the output, that are compared."""
        return vocabulary.columns(case, self._model.vocabulary_size) if case.asked == "vocabulary" else parity.ALL

    def _question(self, case: Case) -> Question:
        """Without its answer."""
        inputs, state = inputs_of(case, self._model, self._weights), state_of(case, self._model, self._weights)
        lengths = np.array(case.lengths, np.int32) if case.lengths else None
        if case.asked == "steps":
            known = (self._model, self._weights, inputs, state)
            steps = case.chunks[0]
            inputs, state, lengths = parity.windows(*known, steps=steps, lengths=lengths, precision=self._precision)
        return Question(inputs, state, (), lengths=lengths)

    def _decode(self, case: Case) -> Question:
        """The question, with what is expected where the reference itself draws."""
        prompt, state, how = *self._start(case), case.decoding
        assert how is not None
        run = functools.partial(reference.run, self._model, self._weights)
        if case.asked == "vocabulary":
            uniform = vocabulary.edges(prompt, run(prompt)[0], how)
        else:
            uniform = uniform_of(rows=len(prompt), drawn=_drawn(case))
        tokens, _ = sampling.decode(run, prompt, state, uniform, temperature=how.temperature, top_k=how.top_k)
        return Question(prompt, state, self.follow(case, tokens), uniform)

    def _follow(self, case: Case, tokens: bytes) -> tuple[Expected, ...]:
        prompt, state = self._start(case)
        drawn = np.frombuffer(tokens, np.int64).reshape(len(prompt), _drawn(case))
        anchored = self._anchored(case)
        known = (self._model, self._weights, prompt, state)
        return parity.expect_draws(
            *known, drawn, precision=self._precision, anchored=anchored, large=case.state == "large"
        )

    def _start(self, case: Case) -> tuple[Tokens, State | None]:
        """The prompt, and the state before it; of single steps (R, 1)."""
        prompt, state = prompt_of(case, self._model), state_of(case, self._model, self._weights)
        if case.asked != "steps":
            return prompt, state
        rows = parity.windows(self._model, self._weights, prompt, state, precision=self._precision)
        return rows.inputs.astype(np.int64), rows.state


def _as_known(case: Case) -> Case:
    """The case whose answer it shares: zeros are no state; single steps and the vocabulary are other questions."""
    state = "none" if case.state == "zeros" else case.state
    if case.asked in ("steps", "vocabulary"):
        return case._replace(state=state)
    return case._replace(state=state, asked="plain", chunks=(case.time,))


def _drawn(case: Case) -> int:
    """Tokens a row and call together."""
    return 1 if case.asked == "steps" else case.time
