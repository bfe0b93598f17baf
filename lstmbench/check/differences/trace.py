"""The states that the reference is in before each step of a run, as float32, in which a runtime can be given them."""

from typing import NamedTuple

import numpy as np

from lstmbench.arrays import State
from lstmbench.check.differences.isolated import Array, Model
from lstmbench.model import reference


class Trace(NamedTuple):
    """Every step of every row of a batch, step by step: S = T·B of them."""

    inputs: Array  # (S, 1) or (S, 1, E)
    state: State  # (D·L, S, H)
    at: list[tuple[int, int]]  # of each: step t, row b of the batch


def trace(model: Model, inputs: Array, state: State | None, lengths: Array | None) -> Trace:
    """Run the reference in float64, a layer at a time, and note h and c before each step; past a row's end nothing."""
    B, T = inputs.shape[:2]
    ends = np.full(B, T) if lengths is None else lengths
    start = [np.zeros(model.config.state_shape(B)) if array is None else array for array in state or (None, None)]
    seen = [np.zeros((T, len(model.rows), B, model.config.hidden_size)) for _ in "hc"]
    x = model.embed(inputs).astype(np.float64)
    for k in range(model.config.num_layers):
        outputs = []
        for row in (row for row in model.rows if row.k == k):
            n, layer = model.index(row), model.layer(row)
            h, c = (array[n].astype(np.float64) for array in start)
            y = np.zeros((B, T, model.config.hidden_size))
            for t in reversed(range(T)) if row.d else range(T):
                seen[0][t, n], seen[1][t, n] = h, c
                alive = (t < ends)[:, None]
                after = reference.cell(layer, x[:, t], h, c)
                h, c = (np.where(alive, new, old) for new, old in zip(after, (h, c), strict=True))
                y[:, t] = np.where(alive, h, 0)
            outputs.append(y)
        x = np.concatenate(outputs, axis=-1)
    at = [(t, b) for t in range(T) for b in range(B) if t < ends[b]]
    when, which = (np.array(part) for part in zip(*at, strict=True))
    h, c = (array[when, :, which].swapaxes(0, 1).astype(np.float32) for array in seen)
    return Trace(inputs[which, when][:, None], State(np.ascontiguousarray(h), np.ascontiguousarray(c)), at)
