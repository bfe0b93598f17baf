"""Which gate of a layer is wrong, and which of its terms: from one call (`lstmbench.check.bisect.probes`)."""

from typing import NamedTuple

import numpy as np

from lstmbench.arrays import State
from lstmbench.check.bisect import fit as fitting
from lstmbench.check.bisect.box import Answer
from lstmbench.check.bisect.fit import Fit, Problem
from lstmbench.check.bisect.isolated import Array, Model
from lstmbench.check.bisect.probes import DIRECTIONS, INPUTS, Probes, coefficients
from lstmbench.check.bisect.steps import Wrong
from lstmbench.check.bisect.variants import Variant, variants
from lstmbench.model import reference
from lstmbench.model.reference import Layer, sigmoid

MOST_UNITS = 256  # that are looked at: what bounds memory
_STARTS = 6  # of the known mistakes, where no step down from the reference meets the answers
_SLACK = 3.0  # least squares may leave one row a little above the bound of all


class Sums(NamedTuple):
    """What the gates of the layer add up, of each unit: 4 gates as in TORCH_GATES, m = INPUTS + 2·DIRECTIONS + 1."""

    got: Array  # (H, 4, m)
    want: Array  # (H, 4, m)
    allowed: Array  # (H, 4, m); 0 where nothing was wrong, and so nothing sought
    W: Array  # (H, 4, E): what the input is multiplied with
    explained: Variant | None  # the known mistake that gives every answer
    met: bool  # whether some sums give every answer
    now: Array  # (H, m): the coordinates of the step that was wrong


class _Seen(NamedTuple):
    """The call, from the side of the layer that is wrong."""

    layer: Layer
    x: Array  # (Q, E)
    h: Array  # (Q, H)
    c: Array
    got_h: Array
    got_c: Array
    bound_h: float
    bound_c: float


def sums(model: Model, wrong: Wrong, probes: Probes, answer: Answer) -> Sums:
    """Find the sums of every gate of every unit that is wrong; those of the others are taken as right."""
    seen = _see(model, wrong, probes.inputs, probes.state, answer)
    x = seen.x.reshape(INPUTS, -1, seen.x.shape[-1]).mean(axis=1)
    want = coefficients(seen.layer, probes, x)
    W = seen.layer.W.reshape(4, len(want), -1).swapaxes(0, 1)
    now = np.concatenate([np.repeat(probes.design[:1], len(want), axis=0), seen.got_c[:1].T], axis=1)
    tried = [(variant, _misses(variant.layer, seen)) for variant in variants(seen.layer)]
    tried.sort(key=lambda pair: pair[1])  # stable: of two that explain it, the simpler one
    best, missed = tried[0]
    if missed <= 1:
        got = coefficients(best.layer, probes, x)
        return Sums(got, want, 1e-9 + 1e-6 * np.abs(want), W, best, met=True, now=now)
    starts = [want, *(coefficients(variant.layer, probes, x) for variant, _ in tried[:_STARTS])]
    got, allowed, met = _fitted(seen, probes, starts)
    return Sums(got, want, allowed, W, None, met, now)


def _see(model: Model, wrong: Wrong, inputs: Array, state: State, answer: Answer) -> _Seen:
    assert wrong.row is not None
    n = model.index(wrong.row)
    x, h, c = model.input_of(wrong.row, inputs[:, 0], answer.h), state.h[n], state.c[n]
    h_n, c_n = model.step(wrong.row, x, h, c)
    wide = (np.asarray(array, np.float64) for array in (x, h, c, answer.h[n], answer.c[n]))
    return _Seen(model.layer(wrong.row), *wide, h_n.bound, c_n.bound)


def _misses(layer: Layer, seen: _Seen) -> float:
    """How many bounds the answers are off from those of a layer, by the worst of some rows, of all if these fit."""
    for rows in (slice(0, None, 24), slice(None)):
        h, c = reference.cell(layer, seen.x[rows], seen.h[rows], seen.c[rows])
        pairs = ((h, seen.got_h[rows], seen.bound_h), (c, seen.got_c[rows], seen.bound_c))
        worst = max(float(np.abs(want - got).max()) / bound for want, got, bound in pairs)
        if worst > 1:
            return worst
    return worst


def _fitted(seen: _Seen, probes: Probes, starts: list[Array]) -> tuple[Array, Array, bool]:
    """The sums by least squares: of i, f and g from c', of o from h' and c' as they came out."""
    n, want = probes.design.shape[1], starts[0]
    got, allowed, met = want.copy(), np.zeros_like(want), True
    design = np.repeat(probes.design[None], len(want), axis=0)
    exact = _exact(seen)
    with_c = np.concatenate([design, seen.got_c.T[:, :, None]], axis=2)
    parts = (
        (slice(0, 3), n, design, seen.got_c, fitting.cell_state, seen.c, seen.bound_c),
        (slice(3, 4), n + 1, with_c, seen.got_h, fitting.output, seen.got_c, seen.bound_h),
    )
    for gates, m, A, answers, curve_of, known, bound in parts:
        right, _ = curve_of(known.T)(exact[:, gates])
        off = np.abs(answers.T - right).max(axis=1)
        units = np.argsort(-off)[: min(MOST_UNITS, int((off > bound).sum()))]
        if not len(units):
            continue
        straight, _ = curve_of(known.T)(np.einsum("uqm,ugm->ugq", A, want[:, gates, :m]))
        problem = Problem(A[units], (answers.T - right + straight)[units], curve_of(known.T[units]))
        found = _best(problem, [start[units][:, gates, :m] for start in starts], _SLACK * bound)
        meets = found.worst <= _SLACK * bound  # of a unit that none does, nothing is said
        there = np.ix_(units[meets], range(4)[gates], range(m))
        got[there], allowed[there] = found.theta[meets], found.spread[meets] * bound
        met = met and bool(meets.any())
    return got, allowed, met


def _exact(seen: _Seen) -> Array:
    """The sums of the reference in every row, (H, 4, Q): of the very h and c, which are rounded to float32."""
    layer = seen.layer
    z = seen.x @ layer.W.T + seen.h @ layer.U.T + layer.b
    H = seen.h.shape[1]
    if layer.P is not None and layer.P.ndim == 2:
        z = z + seen.c @ layer.P.T
    elif layer.P is not None:
        p_i, p_f, p_o = np.split(layer.P, 3)
        z = z + np.concatenate([p_i * seen.c, p_f * seen.c, 0 * seen.c, p_o * seen.got_c], axis=1)
    return z.reshape(-1, 4, H).transpose(2, 1, 0)


def _best(problem: Problem, starts: list[Array], enough: float) -> Fit:
    """Of several starts, for each unit the fit that meets its answers best."""
    found = fitting.fit(problem, starts[0])
    for start in starts[1:]:
        if (found.worst <= enough).all():
            break
        other = fitting.fit(problem, start)
        better = other.worst < found.worst
        found = Fit(*(np.where(_as_wide(better, new), new, old) for new, old in zip(other, found, strict=True)))
    return found


def _as_wide(mask: Array, like: Array) -> Array:
    return mask.reshape(-1, *[1] * (like.ndim - 1))


def opened(gate: str, z: Array) -> Array:
    """A gate by its sum."""
    return np.tanh(z) if gate == "g" else sigmoid(z)


PARTS = {"x": slice(0, INPUTS), "h": slice(INPUTS, INPUTS + DIRECTIONS), "c": slice(INPUTS + DIRECTIONS, None)}
