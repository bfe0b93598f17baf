"""How a question is put to a runtime: in calls that carry the state, and in ways that must not change the answer."""

from typing import Any, TypeAlias

import numpy as np

from lstmbench.arrays import Floats, State, Tokens
from lstmbench.check.case import Case
from lstmbench.check.question import Question
from lstmbench.records import Decoding
from lstmbench.worker import Worker

Answer: TypeAlias = tuple[Any, Floats, Floats]  # of all steps, h_n, c_n


def put(worker: Worker, case: Case, question: Question) -> Answer:
    """Ask as the case says -> the answer, its rows in the order of the question."""
    order = np.arange(len(question.inputs))
    if case.asked == "permuted":
        order = np.roll(order, 1)  # no row keeps its place
        question = _in_order(question, order)
    if case.asked == "again":
        _disturb(worker, case, question)
    ask = _draw if case.decoding else _run
    output, h, c = ask(worker, case, question)
    back = np.argsort(order)
    return output[back], h[:, back], c[:, back]


def _in_order(question: Question, order: Any) -> Question:
    state, lengths, uniform = question.state, question.lengths, question.uniform
    return question._replace(
        inputs=question.inputs[order],
        state=None if state is None else State(state.h[:, order], state.c[:, order]),
        lengths=None if lengths is None else lengths[order],
        uniform=None if uniform is None else uniform[order],
    )


def _disturb(worker: Worker, case: Case, question: Question) -> None:
    """One call of the same shapes with the inputs backwards and another state, whose answer nobody reads."""
    shape = worker.exported.model.state_shape(len(question.inputs))
    state = State(*(np.full(shape, value, np.float32) for value in (0.5, -1.0)))
    inputs, steps = question.inputs[:, ::-1].copy(), case.chunks[0]
    if case.decoding:
        assert question.uniform is not None
        worker.generate(inputs.astype(np.int64), question.uniform[:, :steps], case.decoding, state)
    else:
        worker.run(inputs[:, :steps], state, lengths=question.ends(0, steps))


def _run(worker: Worker, case: Case, question: Question) -> Answer:
    """Call once a chunk, with the state that the last call left."""
    parts, state, start = [], question.state, 0
    for steps in question.chunks(case):
        part, state = worker.run(question.inputs[:, start : start + steps], state, lengths=question.ends(start, steps))
        parts.append(part)
        start += steps
    assert state is not None, "a case has at least one chunk"
    return np.concatenate(parts, axis=1), state.h, state.c


def _draw(worker: Worker, case: Case, question: Question) -> tuple[Tokens, Floats, Floats]:
    """Call once a chunk, with the state and the last token that the last call left."""
    how, uniform = case.decoding, question.uniform
    assert isinstance(how, Decoding)
    assert uniform is not None
    prompt, state, start = question.inputs.astype(np.int64), question.state, 0
    parts = []
    for count in question.chunks(case):
        part, state = worker.generate(prompt, uniform[:, start : start + count], how, state)
        parts.append(part)
        prompt, start = part[:, -1:], start + count
    assert state is not None, "a case has at least one chunk"
    return np.concatenate(parts, axis=1), state.h, state.c
