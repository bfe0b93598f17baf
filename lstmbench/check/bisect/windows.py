"""A file of N steps a call, of which no single step can be asked for: windows of N steps from the reference's states.

A layer's own steps cannot be told apart in them; what can be told is the first window, the first layer (no layer sees
those above it), and a known mistake if it gives the whole answer.
"""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from lstmbench.arrays import State, Weights
from lstmbench.check.bisect.box import Answer, Box
from lstmbench.check.bisect.isolated import Array, Model, Row
from lstmbench.check.bisect.variants import TERMS, Variant, variants
from lstmbench.model import reference
from lstmbench.model.reference import Layer
from lstmbench.parity import Expected


class Window(NamedTuple):
    """The first window that is wrong."""

    t: int  # its first step
    first: int  # step of the first output that is wrong; t where the output does not tell
    row: Row | None  # None: all layers are right, the output is not
    variant: Variant | None
    value: str
    got: float | None
    want: float
    allowed: float


def first_wrong(box: Box, model: Model, inputs: Array, state: State | None) -> Window | None:
    """Ask for window after window, each from the state in which the reference is then."""
    assert box.steps is not None
    for t in range(0, inputs.shape[1], box.steps):
        some = inputs[:, t : t + box.steps]
        answer, expected = box.call(some, state), model.whole(some, state)
        if (place := _place(model, answer, expected)) is not None:
            return _tell(model, some, state, answer, expected, t, place)
        state = State(*(e.want.astype(np.float32) for e in expected[1:]))
    return None


def _place(model: Model, answer: Answer, expected: tuple[Expected, ...]) -> int | None:
    """Which row of h and c is the first that is wrong, D·L for the output; None if all is right."""
    for n in range(len(model.rows)):
        pairs = (
            (answer.h[n], expected[1].want[n], expected[1].bound),
            (answer.c[n], expected[2].want[n], expected[2].bound),
        )
        if not all((np.abs(got - want) <= bound).all() for got, want, bound in pairs):
            return n
    right = np.abs(answer.output - expected[0].want) <= expected[0].bound
    return None if right.all() else len(model.rows)


def _tell(
    model: Model, inputs: Array, state: State | None, answer: Answer, expected: tuple[Expected, ...], t: int, place: int
) -> Window:
    row = model.rows[place] if place < len(model.rows) else None
    output = ~(np.abs(answer.output - expected[0].want) <= expected[0].bound).all(axis=(0, 2))
    first = t + int(output.argmax())
    known = None if row is None else next(_explain(model, row, inputs, state, answer, expected), None)
    choices = [("h", answer.h, expected[1]), ("c", answer.c, expected[2])] if row is not None else []
    for name, got, e in choices or [(expected[0].name, answer.output, expected[0])]:
        got, want = (got[place], e.want[place]) if row is not None else (got, e.want)
        error = np.nan_to_num(np.abs(got - want), nan=np.inf)
        worst = np.unravel_index(int(error.argmax()), error.shape)
        if error[worst] > e.bound:
            value = float(got[worst])
            found = value if np.isfinite(value) else None
            return Window(t, first, row, known, name, found, float(want[worst]), e.bound)
    raise AssertionError("the place is wrong")


def _explain(
    model: Model, row: Row, inputs: Array, state: State | None, answer: Answer, expected: tuple[Expected, ...]
) -> Iterator[Variant]:
    for variant in variants(model.layer(row)):
        output, (h, c) = reference.run(model.config, _with(model, row, variant.layer), inputs, state)
        pairs = zip(answer, expected, (output, h, c), strict=True)
        if all((np.abs(got - other) <= e.bound).all() for got, e, other in pairs):
            yield variant


def _with(model: Model, row: Row, layer: Layer) -> Weights:
    """The model's weights with one layer's taken from elsewhere."""
    suffix = f"l{row.k}{'_reverse' if row.d else ''}"
    names = dict(zip(TERMS, ("weight_ih", "weight_hh", "bias_ih", "weight_ch"), strict=True))
    given = {f"lstm.{names[term]}_{suffix}": getattr(layer, term) for term in TERMS}
    zero = {f"lstm.bias_hh_{suffix}": np.zeros_like(layer.b)}
    return model.weights | zero | {name: array for name, array in given.items() if array is not None}
