"""The answers to a call of probes, from the side of the layer that is wrong."""

from typing import NamedTuple

import numpy as np

from lstmbench.check.differences.box import Answer
from lstmbench.check.differences.isolated import Array, Model, Row
from lstmbench.check.differences.probes import EACH, Probes
from lstmbench.model import reference
from lstmbench.model.reference import Layer

_SOME = 24  # of that many rows one, to begin with


class Seen(NamedTuple):
    """What the layer was given, and what it made of it; all float64, Q rows."""

    layer: Layer  # as it should be
    biases: Array  # (2, 4H), whose sum it holds
    x: Array  # (Q, E)
    h: Array  # (Q, H)
    c: Array
    got_h: Array
    got_c: Array
    bound_h: float
    bound_c: float

    def misses(self, other: Layer) -> float:
        """How many bounds the answers are off from those of a layer, by the worst of some rows, of all if these fit."""
        for rows in (slice(0, None, _SOME), slice(None)):
            h, c = reference.cell(other, self.x[rows], self.h[rows], self.c[rows])
            pairs = ((h, self.got_h[rows], self.bound_h), (c, self.got_c[rows], self.bound_c))
            worst = max(float(np.abs(want - got).max()) / bound for want, got, bound in pairs)
            if worst > 1:
                break
        return worst

    def confined(self) -> bool:
        """Whether no row is wrong but some of the first input: whatever the states are, the others are right."""
        want = reference.cell(self.layer, self.x, self.h, self.c)
        errors = zip(want, (self.got_h, self.got_c), (self.bound_h, self.bound_c), strict=True)
        wrong = np.any([(np.abs(right - got) > bound).any(axis=1) for right, got, bound in errors], axis=0)
        return bool(wrong[:EACH].any() and not wrong[EACH:].any())

    def exact(self) -> Array:
        """The sums of the gates as they should be, (H, 4, Q): of the very h and c, which are rounded to float32."""
        layer, H = self.layer, self.h.shape[1]
        z = self.x @ layer.W.T + self.h @ layer.U.T + layer.b
        if layer.P is not None and layer.P.ndim == 2:
            z = z + self.c @ layer.P.T
        elif layer.P is not None:
            p_i, p_f, p_o = np.split(layer.P, 3)
            z = z + np.concatenate([p_i * self.c, p_f * self.c, 0 * self.c, p_o * self.got_c], axis=1)
        stacked: Array = z.reshape(-1, 4, H).transpose(2, 1, 0)
        return stacked


def seen(model: Model, row: Row, probes: Probes, answer: Answer) -> Seen:
    """Cut one layer out of a call: its input is what the layer below gave."""
    n, (all_h, all_c) = model.index(row), probes.state
    x, h, c = model.input_of(row, probes.inputs[:, 0], answer.h), all_h[n], all_c[n]
    h_n, c_n = model.step(row, x, h, c)
    x, h, c, got_h, got_c = (np.asarray(array, np.float64) for array in (x, h, c, answer.h[n], answer.c[n]))
    return Seen(model.layer(row), model.biases(row), x, h, c, got_h, got_c, h_n.bound, c_n.bound)
