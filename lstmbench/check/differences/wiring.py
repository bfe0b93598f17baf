"""Mistakes of how states and rows come in and go out, which no weight explains."""

from collections.abc import Iterator

import numpy as np

from lstmbench.check.differences.isolated import Array, Model
from lstmbench.check.differences.steps import Wrong
from lstmbench.parity import Expected

UNCHANGED = "the state comes back as it went in"
SWAPPED = "h_n and c_n have changed places"
MIXED = "the rows of the batch are mixed up"


def miswired(model: Model, wrong: Wrong) -> str:
    """In words, the one such mistake that explains every row of the call; empty if none does."""
    row = wrong.row
    if row is None:
        return MIXED if _are_mixed(wrong.answer.output, model.whole(wrong.inputs, wrong.state)[0]) else ""
    n = model.index(row)
    x, got = model.input_of(row, wrong.inputs[:, 0], wrong.answer.h), (wrong.answer.h[n], wrong.answer.c[n])
    given = wrong.state.h[n], wrong.state.c[n]
    if np.any(given) and all(np.array_equal(*pair) for pair in zip(got, given, strict=True)):
        return UNCHANGED
    expected = model.step(row, x, *given)
    if _all_within(got[::-1], expected):
        return SWAPPED
    if all(_are_mixed(value, e._replace(want=e.want[0])) for value, e in zip(got, expected, strict=True)):
        return MIXED
    for words, state in _states(model, wrong, n):
        if not all(map(np.array_equal, state, given)) and _all_within(got, model.step(row, x, *state)):
            return words
    return ""


def _states(model: Model, wrong: Wrong, n: int) -> Iterator[tuple[str, tuple[Array, Array]]]:
    h, c = wrong.state.h[n], wrong.state.c[n]
    none = np.zeros_like(h)
    yield "h_0 and c_0 are ignored", (none, none)
    yield "h_0 is ignored", (none, c)
    yield "c_0 is ignored", (h, none)
    yield "h_0 and c_0 have changed places", (c, h)
    for other in model.rows:
        if (m := model.index(other)) != n:
            yield f"it starts from the state of {other.words}", (wrong.state.h[m], wrong.state.c[m])


def _all_within(got: tuple[Array, ...], expected: tuple[Expected, ...]) -> bool:
    return all(bool((np.abs(value - e.want[0]) <= e.bound).all()) for value, e in zip(got, expected, strict=True))


def _are_mixed(got: Array, expected: Expected) -> bool:
    """Whether each row (R, …) is right for another row, none of them twice."""
    far = np.abs(got[:, None] - expected.want[None]).reshape(len(got), len(got), -1).max(axis=-1)
    nearest = far.argmin(axis=1)
    right = far[np.arange(len(got)), nearest] <= expected.bound
    order = nearest.tolist()
    return bool(right.all()) and sorted(order) == list(range(len(got))) != order
