"""The first step, and in it the first layer, whose answer is wrong where the reference's own state is given.

All steps of a run are rows of calls of one step. Each layer is judged by the input that it really got, which is what
the layer below gave, so that a mistake is not seen again in the layers above it.
"""

from typing import NamedTuple

import numpy as np

from lstmbench.arrays import State
from lstmbench.check.differences.box import MOST_ROWS, Answer, Box
from lstmbench.check.differences.isolated import Array, Model, Row
from lstmbench.check.differences.trace import Trace
from lstmbench.model import reference
from lstmbench.parity import Expected


class Wrong(NamedTuple):
    """An answer that is out of its bound, and what was asked."""

    t: int
    row: Row | None  # None: all layers are right, the output is not
    value: str  # h, c or the output's name
    unit: tuple[int, ...]
    got: float
    want: float
    allowed: float
    here: int  # which row of the call
    inputs: Array  # (R, 1) or (R, 1, E)
    state: State  # (D·L, R, H)
    answer: Answer


def first_wrong(box: Box, model: Model, traced: Trace) -> Wrong | None:
    """Ask for all steps, MOST_ROWS a call, until one is wrong; None if all are right."""
    for first in range(0, len(traced.at), MOST_ROWS):
        some = slice(first, first + MOST_ROWS)
        inputs, state = traced.inputs[some], State(*(array[:, some] for array in traced.state))
        answer = box.step(inputs, state)
        found = judge(model, inputs, state, answer)
        if found:
            first_found = min(found, key=lambda wrong: (traced.at[first + wrong[1]][0], wrong[0], wrong[1]))
            place, n, name, unit, got, want, allowed = first_found
            row = model.rows[place] if place < len(model.rows) else None
            return Wrong(traced.at[first + n][0], row, name, unit, got, want, allowed, n, inputs, state, answer)
    return None


Found = tuple[int, int, str, tuple[int, ...], float, float, float]


def judge(model: Model, inputs: Array, state: State, answer: Answer) -> list[Found]:
    """Every row of a call of one step that is wrong somewhere, and its worst value there, for each layer and output."""
    found: list[Found] = []
    for place, row in enumerate(model.rows):
        n = model.index(row)
        x = model.input_of(row, inputs[:, 0], answer.h)
        expected = model.step(row, x, state.h[n], state.c[n])
        for name, want, got in zip("hc", expected, (answer.h[n], answer.c[n]), strict=True):
            found += _wrong_rows(place, name, want._replace(want=want.want[0]), got)
    name, want, got = _output(model, inputs, state, answer)
    return found + (_wrong_rows(len(model.rows), name, want, got) if got is not None else [])


def _output(model: Model, inputs: Array, state: State, answer: Answer) -> tuple[str, Expected, Array | None]:
    """What the output must be, given the last layer's h as it came out, (R, V) or (R, D·H)."""
    output, h_n, _ = model.whole(inputs, state)
    last = np.concatenate(list(answer.h[-model.config.directions :]), axis=-1).astype(np.float64)
    if model.exported.draws:
        return output.name, output, None
    if model.config.head == "layer":
        return output.name, output._replace(want=last, bound=h_n.bound), answer.output[:, 0]
    want = reference.read_out(model.config, model.weights, last[:, None])[:, 0]
    return output.name, output._replace(want=want), answer.output[:, 0]


def _wrong_rows(place: int, name: str, expected: Expected, got: Array) -> list[Found]:
    error = np.abs(got - expected.want)
    error = np.where(np.isfinite(error), error, np.inf)
    wrong = np.flatnonzero(~(error.max(axis=-1) <= expected.bound))
    found: list[Found] = []
    for n in wrong.tolist():
        unit = int(error[n].argmax())
        values = float(got[n, unit]), float(expected.want[n, unit]), expected.bound
        found.append((place, n, name, (unit,), *values))
    return found
