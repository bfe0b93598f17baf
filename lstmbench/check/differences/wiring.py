"""Mistakes of how states and rows come in and go out, which no weight explains."""

from collections.abc import Iterator

import numpy as np

from lstmbench.check.differences.isolated import Array, Model, Row
from lstmbench.check.differences.steps import Wrong
from lstmbench.parity import Expected

UNCHANGED = "the state comes back as it went in"
SWAPPED = "h_n and c_n have changed places"
ENDLESS = "lengths are ignored"
MIXED = "the rows of the batch are mixed up"


def miswired(model: Model, wrong: Wrong) -> str:
    """In words, the one such mistake that explains every row of the call; empty if none does.

    Of integer activations only what the very bits show: their bounds are as wide as what is told apart here.
    """
    if wrong.row is not None and _comes_back(model, wrong):
        return UNCHANGED
    if model.coarse:
        return ""
    if wrong.row is None:
        return MIXED if _are_mixed(wrong.answer.output, model.whole(wrong.inputs, wrong.state)[0]) else ""
    return _of_layer(model, wrong, model.index(wrong.row))


def _comes_back(model: Model, wrong: Wrong) -> bool:
    assert wrong.row is not None
    n = model.index(wrong.row)
    given, got = wrong.state, (wrong.answer.h, wrong.answer.c)
    moving = any(bool(np.any(array[n])) for array in given)
    return moving and all(np.array_equal(a[n], b[n]) for a, b in zip(given, got, strict=True))


def _of_layer(model: Model, wrong: Wrong, n: int) -> str:
    assert wrong.row is not None
    x = model.input_of(wrong.row, wrong.inputs[:, 0], wrong.answer.h)
    got, given = (wrong.answer.h[n], wrong.answer.c[n]), (wrong.state.h[n], wrong.state.c[n])
    expected = model.step(wrong.row, x, *given)
    if _all_within(got[::-1], expected):
        return SWAPPED
    if _goes_on(model, wrong.row, x, given, got, expected):
        return ENDLESS
    if all(_are_mixed(value, e._replace(want=e.want[0])) for value, e in zip(got, expected, strict=True)):
        return MIXED
    for words, state in _states(model, wrong, n):
        if not all(map(np.array_equal, state, given)) and _all_within(got, model.step(wrong.row, x, *state)):
            return words
    return ""


def _goes_on(
    model: Model, row: Row, x: Array, given: tuple[Array, ...], got: tuple[Array, ...], expected: tuple[Expected, ...]
) -> bool:
    """Whether a call of N steps, whose rows were given a length of 1, took all of them; from below zeros follow."""
    steps = model.exported.steps or 1
    if steps == 1:
        return False
    h, c = (array[None] for array in given)
    taken = np.repeat(x[:, None], steps, axis=1)
    if row.k:
        taken[:, : -1 if row.d else None][:, 0 if row.d else 1 :] = 0
    _, after = model.alone(row, taken, (h, c))
    return _all_within(got, tuple(e._replace(want=want) for e, want in zip(expected, after, strict=True)))


def _states(model: Model, wrong: Wrong, n: int) -> Iterator[tuple[str, tuple[Array, Array]]]:
    h, c = wrong.state.h[n], wrong.state.c[n]
    none = np.zeros_like(h)
    yield "h_0 and c_0 are ignored", (none, none)
    yield "h_0 is ignored", (none, c)
    yield "c_0 is ignored", (h, none)
    yield "h_0 and c_0 have changed places", (c, h)
    for other in model.rows:
        if (m := model.index(other)) == n:
            continue
        yield from _from(f"the state of {other.words}", (h, c), (wrong.state.h[m], wrong.state.c[m]))
        if m < n:  # it has been there before: an encoder that hands on where it ended
            ended = f"the state that {other.words} ends in"
            yield from _from(ended, (h, c), (wrong.answer.h[m], wrong.answer.c[m]))


def _from(
    words: str, own: tuple[Array, Array], other: tuple[Array, Array]
) -> Iterator[tuple[str, tuple[Array, Array]]]:
    """Both from another place, or one of them."""
    yield f"it starts from {words}", other
    yield f"its h starts from {words}", (other[0], own[1])
    yield f"its c starts from {words}", (own[0], other[1])


def _all_within(got: tuple[Array, ...], expected: tuple[Expected, ...]) -> bool:
    return all(bool((np.abs(value - e.want[0]) <= e.bound).all()) for value, e in zip(got, expected, strict=True))


def _are_mixed(got: Array, expected: Expected) -> bool:
    """Whether each row (R, …) is right for another row, none of them twice."""
    far = np.abs(got[:, None] - expected.want[None]).reshape(len(got), len(got), -1).max(axis=-1)
    nearest = far.argmin(axis=1)
    right = far[np.arange(len(got)), nearest] <= expected.bound
    order = nearest.tolist()
    return bool(right.all()) and sorted(order) == list(range(len(got))) != order
