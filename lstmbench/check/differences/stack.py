"""The reference of a whole run, a layer at a time, of which one goes through time otherwise than it should."""

from collections.abc import Callable, Iterator

import numpy as np

from lstmbench.arrays import Lengths, State
from lstmbench.check.differences.isolated import Array, Model, Row
from lstmbench.model import reference

Outputs = tuple[Array | None, Array | None, Array | None]  # None: as it must be
_TURNS = (  # words of a forward and of a reverse direction; whether its input is turned, and its output
    ("is run in reverse", "is run forwards", True, True),
    ("is run in reverse, and its output is not turned", "is run forwards, and its output is turned", True, False),
    ("has its output turned", "has its output not turned", False, True),
)


def turned(model: Model, inputs: Array, state: State | None) -> Iterator[tuple[str, Row, Outputs]]:
    """Each layer and direction in turn: what is said of it, and what the model then gives, without lengths."""
    for row in model.rows:
        for forwards, backwards, *turns in _TURNS:
            words = f"{row.words}, {backwards}" if row.d else f"{row.words} {forwards}"
            yield words, row, _turned(model, inputs, state, row, turns)


def unended(model: Model, inputs: Array, state: State | None, lengths: Lengths) -> Iterator[tuple[str, Row, Outputs]]:
    """One layer, or one direction of it, that does not look at lengths (B,) where all others do."""
    for k in range(model.config.num_layers):
        of_layer = [row for row in model.rows if row.k == k]
        for rows in dict.fromkeys([tuple(of_layer), *((row,) for row in of_layer)]):
            if len(rows) < len(model.rows):
                both = f"layer {k}, in both directions," if len(rows) > 1 else rows[0].words
                yield f"{both} ignores lengths", rows[0], _ending(model, inputs, state, lengths, rows)


def _ending(model: Model, inputs: Array, state: State | None, lengths: Lengths, endless: tuple[Row, ...]) -> Outputs:
    def one(row: Row, x: Array, start: tuple[Array, Array]) -> tuple[Array, Array, Array]:
        ends = np.full(len(inputs), inputs.shape[1]) if row in endless else lengths
        return model.directed(row, x, (start[0][0], start[1][0]), ends)

    return _run(model, inputs, state, one, lengths)


def _turned(model: Model, inputs: Array, state: State | None, wrong: Row, turns: list[bool]) -> Outputs:
    def one(row: Row, x: Array, start: tuple[Array, Array]) -> tuple[Array, Array, Array]:
        before, after = turns if row == wrong else [False, False]
        # a reverse direction is a forward one of turned time
        given = x[:, ::-1] if before != bool(row.d) else x
        y, (h, c) = model.alone(row, given, start)
        return (y[:, ::-1] if after != bool(row.d) else y), h[0], c[0]

    return _run(model, inputs, state, one, None)


def _run(
    model: Model,
    inputs: Array,
    state: State | None,
    one: Callable[[Row, Array, tuple[Array, Array]], tuple[Array, Array, Array]],
    lengths: Lengths | None,
) -> Outputs:
    """A run of which `one` does each layer and direction: from x (B, T, ·) and its state (1, B, H) -> y, h, c."""
    zeros = np.zeros(model.config.state_shape(len(inputs)))
    start = (zeros, zeros) if state is None else state
    h, c = np.empty(zeros.shape), np.empty(zeros.shape)
    x = model.embed(inputs).astype(np.float64)
    for k in range(model.config.num_layers):
        outputs = []
        for row in (row for row in model.rows if row.k == k):
            n = model.index(row)
            y, h[n], c[n] = one(row, x, (start[0][n : n + 1], start[1][n : n + 1]))
            outputs.append(y)
        x = np.concatenate(outputs, axis=-1)
    if model.config.head == "lm":
        x = reference.read_out(model.config, model.weights, x, lengths=lengths)
    return x, h, c
