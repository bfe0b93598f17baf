"""Every step alone is right and the run is not: how steps are joined, found by bisection over their number."""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from lstmbench.arrays import Lengths, State
from lstmbench.check.differences.box import Answer, Box
from lstmbench.check.differences.isolated import Array, Model
from lstmbench.model import reference
from lstmbench.parity import Expected

MOST_CALLS = 16  # of a run in pieces that are looked at


class Run(NamedTuple):
    """A run that was given."""

    inputs: Array
    state: State | None
    lengths: Lengths | None
    chunks: tuple[int, ...]


class Joint(NamedTuple):
    """Where joined steps go wrong."""

    time: int  # steps of the shortest run that is wrong
    words: str
    value: str
    got: float | None
    want: float
    allowed: float


Outputs = tuple[Array | None, Array | None, Array | None]  # None: as it must be


def wrong_joint(box: Box, model: Model, run: Run) -> Joint | None:
    """One call of T steps, then of fewer until one more makes it wrong; then several calls that carry the state."""
    if box.exported.steps is None and run.inputs.shape[1] > 1 and (joint := _in_one_call(box, model, run)):
        return joint
    if run.lengths is not None or model.config.bidirectional or run.inputs.shape[1] == 1:
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
    while wrong - right > 1:
        middle = (right + wrong) // 2
        if (earlier := _ask(box, model, run, middle)) is None:
            right = middle
        else:
            wrong, seen = middle, earlier
    answer, expected = seen
    name, got, want, allowed, at = _worst(answer, expected)
    known = known or _known(model, run, wrong, answer, expected)
    first = f", first at step {at}" if at is not None else ""
    words = known or f"runs of up to {right} step{'s' * (right > 1)} are right, of {wrong} are wrong{first}"
    return Joint(wrong, words, name, got, want, allowed)


def _ask(box: Box, model: Model, run: Run, time: int) -> tuple[Answer, tuple[Expected, ...]] | None:
    """Run so many steps; None if it is right."""
    lengths = None if run.lengths is None else run.lengths.clip(max=time)
    answer = box.call(run.inputs[:, :time], run.state, lengths=lengths)
    expected = model.whole(run.inputs[:, :time], run.state, lengths)
    return None if _within(answer, expected) else (answer, expected)


def _within(answer: Answer, expected: tuple[Expected, ...]) -> bool:
    pairs = zip(answer, expected, strict=True)
    return all(got.shape == e.want.shape and bool((np.abs(got - e.want) <= e.bound).all()) for got, e in pairs)


def _worst(answer: Answer, expected: tuple[Expected, ...]) -> tuple[str, float | None, float, float, int | None]:
    """Of the first output that is wrong: name, got, want, allowed at its worst place, and the first step of it."""
    for got, e in zip(answer, expected, strict=True):
        error = np.abs(got - e.want)
        if not (error <= e.bound).all():
            worst = np.unravel_index(int(np.nan_to_num(error, nan=np.inf).argmax()), error.shape)
            value = float(got[worst])
            steps = np.flatnonzero(~(error <= e.bound).all(axis=(0, 2))) if e is expected[0] else [None]
            return e.name, value if np.isfinite(value) else None, float(e.want[worst]), e.bound, _whole(steps[0])
    raise AssertionError("something was wrong")


def _whole(step: int | None) -> int | None:
    return None if step is None else int(step)


def _known(model: Model, run: Run, time: int, answer: Answer, expected: tuple[Expected, ...]) -> str:
    """In words, the known mistake that gives the whole answer; empty if none does."""
    output, h, c = (e.want for e in expected)
    right: Outputs = (output, h, c)
    for words, outputs in _mistakes(model, run._replace(inputs=run.inputs[:, :time]), right):
        pairs = zip(expected, outputs, strict=True)
        if _within(answer, tuple(e if other is None else e._replace(want=other) for e, other in pairs)):
            return words
    return ""


def _mistakes(model: Model, run: Run, right: Outputs) -> Iterator[tuple[str, Outputs]]:
    x, T, H = run.inputs, run.inputs.shape[1], model.config.hidden_size
    lengths = None if run.lengths is None else run.lengths.clip(max=T)

    def ran(inputs: Array, ends: Array | None = None) -> Outputs:
        output, (h, c) = reference.run(model.config, model.weights, inputs, run.state, lengths=ends)
        return output, h, c

    if lengths is not None:
        on = ran(x)
        yield "lengths are ignored", on
        yield "the output is not cut where rows end", (on[0], None, None)
        yield "the state runs on where rows have ended", (None, on[1], on[2])
        if model.config.bidirectional and model.config.num_layers == 1:
            yield "the reverse direction starts at the last step, not where rows end", _reverse_of(on, right, H)
        yield "rows end one step late", ran(x, (lengths + 1).clip(max=T))
        yield "rows end one step early", ran(x, (lengths - 1).clip(min=1))
    y = right[0]
    assert y is not None
    if model.config.bidirectional:
        turned = np.concatenate([y[..., :H], y[:, ::-1, H:]], axis=-1)
        yield "the output of the reverse direction is not turned", (turned, None, None)
        both = np.concatenate([y[..., H:], y[..., :H]], axis=-1)
        yield "the directions have changed places in the output", (both, None, None)
    output, h, c = ran(x[:, :-1])
    assert output is not None
    yield "the last step is dropped", (np.concatenate([output, output[:, -1:]], axis=1), h, c)
    yield "the state is that before the last step", (None, h, c)
    yield "time runs backwards", ran(x[:, ::-1])
    output, h, c = ran(x[:, ::-1])
    assert output is not None
    yield "time runs backwards, and the output is turned", (output[:, ::-1], h, c)
    each = [ran(x[:, t : t + 1]) for t in range(T)]
    alone = np.concatenate([part for part, _, _ in each if part is not None], axis=1)
    yield "the state is not carried from step to step", (alone, each[-1][1], each[-1][2])
    yield "the state that comes out is that after the first step", (None, each[0][1], each[0][2])
    yield "every step gives the output of the first", (np.repeat(y[:, :1], T, axis=1), None, None)
    yield "every step gives the output of the last", (np.repeat(y[:, -1:], T, axis=1), None, None)


def _reverse_of(other: Outputs, right: Outputs, H: int) -> Outputs:
    """The forward direction of what is right, the reverse one of another run; of one layer."""
    (y_on, *states_on), (y, *states) = other, right
    assert y_on is not None
    assert y is not None
    joined = [
        np.stack([old[0], new[1]])
        for old, new in zip(states, states_on, strict=True)
        if old is not None and new is not None
    ]
    return np.concatenate([y[..., :H], y_on[..., H:]], axis=-1), joined[0], joined[1]


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
