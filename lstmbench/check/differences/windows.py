"""A file of N steps a call, of which no single step can be asked for: windows of N steps from the reference's states.

A layer's own steps cannot be told apart in them; what can be told is the first window, the first layer (no layer sees
those above it), and a known mistake if it gives the whole answer. That something is wrong is decided as the check
decides it. Which layer it is, states tell that a chaotic cell leaves unjudged too: their bound holds what float32 runs
of such a window part by.
"""

from typing import NamedTuple

import numpy as np

from lstmbench.arrays import State, Weights
from lstmbench.check.differences import judged, tokens
from lstmbench.check.differences.box import Answer, Box
from lstmbench.check.differences.exchanged import exchanged
from lstmbench.check.differences.isolated import Array, Model, Row
from lstmbench.check.differences.variants import TERMS, Variant, variants
from lstmbench.model import reference
from lstmbench.model.reference import Layer
from lstmbench.parity import Expected

Place = tuple[Row | None, str, Array, Array, float, Array]  # layer, name, got, want, bound, where it is wrong


class Asked(NamedTuple):
    """One window."""

    t: int  # its first step
    inputs: Array
    state: State | None
    answer: Answer
    expected: tuple[Expected, ...]


class Window(NamedTuple):
    """The first window that is wrong."""

    t: int
    first: int | None  # step of the first output that is wrong; None where only the states are
    steps: int
    row: Row | None  # None: all layers are right, the output is not
    variant: Variant | None
    value: str
    got: float | None
    want: float
    allowed: float
    held: str = ""  # what the states that come out hold in place of their own, in words
    taken: str = ""  # which tokens have whose embedding, in words


def first_wrong(box: Box, model: Model, inputs: Array, state: State | None) -> Window | None:
    """Ask for window after window, each from the state in which the reference is then."""
    steps = box.exported.steps
    assert steps is not None
    for t in range(0, inputs.shape[1], steps):
        some = inputs[:, t : t + steps]
        asked = Asked(t, some, state, box.call(some, state), model.whole(some, state))
        if _places(model, asked):
            return _told_more(box, model, asked, _tell(model, asked, _places(model, _all_judged(asked))[0]))
        state = State(*(e.want.astype(np.float32) for e in asked.expected[1:]))
    return None


def _told_more(box: Box, model: Model, asked: Asked, window: Window) -> Window:
    """Of a layer in which no known mistake of weights explains the call."""
    if window.row is None or window.variant is not None:
        return window
    if held := exchanged(model, asked.answer, asked.expected):
        return window._replace(held=held)
    if window.row.k or model.config.head != "lm":
        return window
    zeros = np.zeros(model.config.state_shape(1), np.float32)
    start = State(zeros, zeros) if asked.state is None else State(*(array[:, :1] for array in asked.state))
    return window._replace(taken=tokens.ask(box, model, start).words)


def _all_judged(asked: Asked) -> Asked:
    _, h, c = asked.expected
    return asked._replace(expected=(asked.expected[0], h._replace(judged=None), c._replace(judged=None)))


def _places(model: Model, asked: Asked) -> list[Place]:
    """What is wrong, in the order of computation."""
    (logits, h, c), answer = asked.expected, asked.answer
    rows = [(row, model.index(row)) for row in model.rows]
    both = ("h", answer.h, h), ("c", answer.c, c)
    states = [
        (row, name, got[n], e.want[n], e.bound, judged.over(got, e)[n]) for row, n in rows for name, got, e in both
    ]
    wrong = judged.over(answer.output, logits)
    every: list[Place] = [*states, (None, logits.name, answer.output, logits.want, logits.bound, wrong)]
    return [one for one in every if one[-1].any()]


def _tell(model: Model, asked: Asked, wrong: Place) -> Window:
    row, name, got, want, bound, where = wrong
    error = np.where(where, np.nan_to_num(np.abs(got - want), nan=np.inf), 0)
    worst = np.unravel_index(int(error.argmax()), error.shape)
    steps = judged.over(asked.answer.output, asked.expected[0]).any(axis=(0, 2))
    known = None if row is None or model.coarse else _explain(model, row, asked)
    value = float(got[worst]) if np.isfinite(got[worst]) else None
    first = asked.t + int(steps.argmax()) if steps.any() else None
    return Window(asked.t, first, asked.inputs.shape[1], row, known, name, value, float(want[worst]), bound)


def _explain(model: Model, row: Row, asked: Asked) -> Variant | None:
    """The known mistake of a layer that gives the whole answer."""
    for variant in variants(model.layer(row), model.biases(row)):
        output, (h, c) = reference.run(model.config, _with(model, row, variant.layer), asked.inputs, asked.state)
        pairs = zip(asked.answer, asked.expected, (output, h, c), strict=True)
        if all(judged.right(got, e._replace(want=other)) for got, e, other in pairs):
            return variant
    return None


def _with(model: Model, row: Row, layer: Layer) -> Weights:
    """The model's weights with one layer's taken from elsewhere."""
    suffix = f"l{row.k}{'_reverse' if row.d else ''}"
    names = dict(zip(TERMS, ("weight_ih", "weight_hh", "bias_ih", "weight_ch"), strict=True))
    given = {f"lstm.{names[term]}_{suffix}": getattr(layer, term) for term in TERMS}
    zero = {f"lstm.bias_hh_{suffix}": np.zeros_like(layer.b)}
    return model.weights | zero | {name: array for name, array in given.items() if array is not None}
