"""Every step alone is right and the run is not: how steps are joined, found by bisection over their number."""

from typing import NamedTuple

import numpy as np

from lstmbench.arrays import State
from lstmbench.check.differences import judged
from lstmbench.check.differences.box import Answer, Box
from lstmbench.check.differences.isolated import Array, Model, Row
from lstmbench.check.differences.wrong_runs import Known, Outputs, Run, wrong_runs
from lstmbench.parity import Expected

MOST_CALLS = 16  # of a run in pieces that are looked at


class Joint(NamedTuple):
    """Where joined steps go wrong."""

    time: int  # steps of the shortest run that is wrong
    words: str
    value: str
    got: float | None
    want: float
    allowed: float
    row: Row | None = None  # the layer to which a known mistake belongs
    known: bool = False  # whether the words name one


def wrong_joint(box: Box, model: Model, run: Run) -> Joint | None:
    """One call of T steps, then of fewer until one more makes it wrong; then several calls that carry the state."""
    if (
        run.inputs.shape[1] > 1
        and box.exported.steps in (None, run.inputs.shape[1])
        and (joint := _in_one_call(box, model, run))
    ):
        return joint
    if run.lengths is not None or model.config.uncut or run.inputs.shape[1] == 1:
        return None
    half = run.inputs.shape[1] // 2
    if len(run.chunks) == 1 and box.exported.steps is None:
        run = run._replace(chunks=(half, run.inputs.shape[1] - half))
    return _in_pieces(box, model, run)


def _in_one_call(box: Box, model: Model, run: Run) -> Joint | None:
    right, wrong = 1, run.inputs.shape[1]
    seen = whole = _ask(box, model, run, wrong)
    if seen is None or whole is None:
        return None
    known = _known(model, run, wrong, *whole)
    while wrong - right > 1 and box.exported.steps is None:
        middle = (right + wrong) // 2
        if (earlier := _ask(box, model, run, middle)) is None:
            right = middle
        else:
            wrong, seen = middle, earlier
    answer, expected = seen
    name, got, want, allowed, at = _worst(answer, expected)
    known = known or _known(model, run, wrong, answer, expected)
    first = f", first at step {at}" if at is not None else ""
    less = f"runs of up to {right} step{'s' * (right > 1)} are right, " if box.exported.steps is None else ""
    words = f"{less}of {wrong} are wrong{first}" if less else f"a call of {wrong} steps is wrong{first}"
    words, row = known or Known(words)
    return Joint(wrong, words, name, got, want, allowed, row, known is not None)


def _ask(box: Box, model: Model, run: Run, time: int) -> tuple[Answer, tuple[Expected, ...]] | None:
    """Run so many steps; None if it is right."""
    lengths = None if run.lengths is None else run.lengths.clip(max=time)
    answer = box.call(run.inputs[:, :time], run.state, lengths=lengths)
    expected = model.whole(run.inputs[:, :time], run.state, lengths)
    return None if _within(answer, expected) else (answer, expected)


def _within(answer: Answer, expected: tuple[Expected, ...]) -> bool:
    return all(judged.right(got, e) for got, e in zip(answer, expected, strict=True))


def _worst(answer: Answer, expected: tuple[Expected, ...]) -> tuple[str, float | None, float, float, int | None]:
    """Of the first output that is wrong: name, got, want, allowed at its worst place, and the first step of it."""
    for got, e in zip(answer, expected, strict=True):
        wrong = judged.over(got, e)
        if wrong.any():
            error = np.where(wrong, np.nan_to_num(np.abs(got - e.want), nan=np.inf), 0)
            worst = np.unravel_index(int(error.argmax()), error.shape)
            value = float(got[worst])
            steps = np.flatnonzero(wrong.any(axis=(0, 2))) if e is expected[0] else [None]
            return e.name, value if np.isfinite(value) else None, float(e.want[worst]), e.bound, _whole(steps[0])
    raise AssertionError("something was wrong")


def _whole(step: int | None) -> int | None:
    return None if step is None else int(step)


def _known(model: Model, run: Run, time: int, answer: Answer, expected: tuple[Expected, ...]) -> Known | None:
    """The known mistakes that give the whole answer, all of them: some are one mistake under two names."""
    output, h, c = (e.want for e in expected)
    right: Outputs = (output, h, c)
    fitting = []
    for known, outputs in wrong_runs(model, run._replace(inputs=run.inputs[:, :time]), right):
        pairs = zip(expected, outputs, strict=True)
        if _within(answer, tuple(e if other is None else e._replace(want=other) for e, other in pairs)):
            fitting.append(known)
    if not fitting:
        return None
    rows = {known.row for known in fitting}
    return Known(" or ".join(dict.fromkeys(known.words for known in fitting)), rows.pop() if len(rows) == 1 else None)


def _in_pieces(box: Box, model: Model, run: Run) -> Joint | None:
    """Call by call, with the state that the last one gave, until one is wrong where the reference goes on from it."""
    state, start = run.state, 0
    for n, steps in enumerate(run.chunks[:MOST_CALLS]):
        inputs = run.inputs[:, start : start + steps]
        answer, expected = box.call(inputs, state), model.whole(inputs, state)
        if not _within(answer, expected):
            name, got, want, allowed, _ = _worst(answer, expected)
            where = f"call {n + 1} of {steps} step{'s' * (steps > 1)}, from the state that the one before gave"
            words = f"{where}: {_carried(model, inputs, run.state, answer, expected)}"
            return Joint(start + steps, words, name, got, want, allowed)
        state, start = State(answer.h, answer.c), start + steps
    return None


def _carried(model: Model, inputs: Array, first: State | None, answer: Answer, expected: tuple[Expected, ...]) -> str:
    for words, state in (("the first call's state is used again", first), ("the state is ignored", None)):
        other = model.whole(inputs, state)
        if _within(answer, tuple(e._replace(want=o.want) for e, o in zip(expected, other, strict=True))):
            return words
    return "one call is right, several are not"
