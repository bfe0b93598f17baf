"""One call that tells what the gates of a layer add up: its states move in a few known directions, its inputs are few.

The sum before σ or tanh of a gate is affine in the layer's input x, in h and in c. With h = Σ s·v, c = Σ t·w in a few
directions v and w, it is, for each unit, α(x) + Σ β·s + Σ γ·t, and for gate o + π·c' besides: numbers that follow from
the answers, whatever the weights in the file are (`lstmbench.check.differences.fit`). Directions drawn at random see
every column of a matrix. The first ones are the very h and c of the step that was wrong, so that its gates are among
the sums.
"""

from typing import NamedTuple

import numpy as np

from lstmbench.arrays import State
from lstmbench.check.differences.isolated import Array, Model
from lstmbench.check.differences.steps import Wrong
from lstmbench.model import stimulus
from lstmbench.model.reference import Layer

INPUTS, DIRECTIONS, EACH = 6, 3, 40  # inputs; directions of h and of c; rows an input
_EXCITED, _LARGEST = 0.7, 2.0  # root mean square of what a direction adds to a sum, and of the direction itself
_SEED = 40_000


class Probes(NamedTuple):
    """What the call is given, and in which coordinates: Q = INPUTS · EACH rows."""

    inputs: Array  # (Q, 1) or (Q, 1, E)
    state: State  # (D·L, Q, H)
    design: Array  # (Q, n): which input, s, t of each row; the first row is the step that was wrong
    v: Array  # (DIRECTIONS, H) of h
    w: Array  # (DIRECTIONS, H) of c


def plan(model: Model, wrong: Wrong) -> Probes:
    """Probes of the layer that is wrong; the layers below it get the same state in all rows of an input."""
    assert wrong.row is not None
    rng, n, layer = np.random.default_rng(_SEED), model.index(wrong.row), model.layer(wrong.row)
    H = model.config.hidden_size
    v = _directions(rng, wrong.state.h[n, wrong.here], layer.U, H)
    w = _directions(rng, wrong.state.c[n, wrong.here], _matrix_of(layer), H)
    which = np.repeat(np.arange(INPUTS), EACH)
    along = rng.uniform(-1, 1, (2, len(which), DIRECTIONS))
    along[:, 0] = np.eye(DIRECTIONS)[0]
    inputs, below = _inputs(model, wrong), stimulus.state(model.config, batch=INPUTS, seed=_SEED)
    h, c = (np.array(array[:, which]) for array in below)
    h[:, which == 0], c[:, which == 0] = (array[:, [wrong.here]] for array in wrong.state)
    h[n], c[n] = along[0] @ v, along[1] @ w
    design = np.concatenate([np.eye(INPUTS)[which], *along], axis=1)
    return Probes(inputs[which], State(h.astype(np.float32), c.astype(np.float32)), design, v, w)


def coefficients(layer: Layer, probes: Probes, x: Array) -> Array:
    """What a layer adds up, from its weights: x (INPUTS, E) -> (H, 4, n + 1), gates in the order of TORCH_GATES."""
    H = probes.v.shape[1]
    alpha, beta = x @ layer.W.T + layer.b, probes.v @ layer.U.T
    gamma, pi = np.zeros((DIRECTIONS, 4 * H)), np.zeros((1, 4 * H))
    if layer.P is not None and layer.P.ndim == 2:
        gamma = probes.w @ layer.P.T
    elif layer.P is not None:
        p_i, p_f, p_o = np.split(layer.P, 3)
        gamma[:, :H], gamma[:, H : 2 * H], pi[0, 3 * H :] = p_i * probes.w, p_f * probes.w, p_o
    stacked = np.concatenate([alpha, beta, gamma, pi])  # (n + 1, 4H)
    return stacked.reshape(-1, 4, H).transpose(2, 1, 0)


def _directions(rng: np.random.Generator, first: Array, matrix: Array, H: int) -> Array:
    """DIRECTIONS of (H,): the first as it is if it is not zero, the others random, of a size that excites."""
    drawn = rng.standard_normal((DIRECTIONS, H))
    adds = np.sqrt(np.square(drawn @ matrix.T).mean(axis=1, keepdims=True))
    drawn *= np.minimum(_LARGEST, _EXCITED / np.maximum(adds, 1e-9))
    if np.any(first):
        drawn[0] = first
    return drawn


def _matrix_of(layer: Layer) -> Array:
    """What c meets, (…, H)."""
    if layer.P is None:
        return np.zeros((1, layer.U.shape[1]))
    return layer.P if layer.P.ndim == 2 else np.diag(np.abs(layer.P.reshape(3, -1)).max(axis=0))


def _inputs(model: Model, wrong: Wrong) -> Array:
    """INPUTS of (1,) or (1, E): that of the wrong step first, then others."""
    first = wrong.inputs[wrong.here]
    others = stimulus.inputs(model.config, batch=8 * INPUTS, time=1, seed=_SEED)
    different = others[[not np.array_equal(other, first) for other in others]]
    if model.config.head == "layer":
        different[0] = 0  # nothing but the bias is left of it
    chosen = list(_distinct(different))[: INPUTS - 1]
    return np.stack([first, *chosen, *[first] * (INPUTS - 1 - len(chosen))])


def _distinct(rows: Array) -> list[Array]:
    return list({row.tobytes(): row for row in rows}.values())
