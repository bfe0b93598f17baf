"""Which gate of a layer is wrong, and which of its terms: from one call (`lstmbench.check.differences.probes`).

Three explanations are tried, the simplest first: a known mistake that gives every answer; one term of one gate that is
free to be anything, for c' and for h' each; every term of every gate free. Where several terms explain by themselves,
all of them are named. What an explanation may leave is derived in `lstmbench.check.differences.fit`.
"""

from typing import NamedTuple

import numpy as np

from lstmbench.check.differences import fit as fitting
from lstmbench.check.differences.answers import Seen
from lstmbench.check.differences.fewest import fewest
from lstmbench.check.differences.fit import Fit
from lstmbench.check.differences.isolated import Array
from lstmbench.check.differences.parts import MOST_UNITS, Part, directions, parts_of
from lstmbench.check.differences.probes import INPUTS, Probes, coefficients
from lstmbench.check.differences.variants import Variant, variants
from lstmbench.model.gates import TORCH_GATES

SOME_UNITS = 24  # that one term alone must explain
_STARTS = 6  # of the known mistakes, where no step down from the reference meets the answers


class Term(NamedTuple):
    """A term of a gate's sum."""

    gate: str
    term: str  # as in `variants.TERMS`


class Sums(NamedTuple):
    """What the gates of the layer add up, of each unit: 4 gates as in TORCH_GATES, m = INPUTS + 2·DIRECTIONS + 1."""

    got: Array  # (H, 4, m)
    want: Array  # (H, 4, m)
    allowed: Array  # (H, 4, m); 0 where nothing was wrong, and so nothing sought
    W: Array  # (H, 4, E): what the input is multiplied with
    now: Array  # (H, m): the coordinates of the step that was wrong
    bound: float  # of the answers
    known: Variant | None = None  # the known mistake that gives every answer
    alone: tuple[tuple[Term, ...], ...] = ()  # for c' and for h' the terms of which each does by itself
    met: bool = True  # whether some sums give the answers of some unit


def sums(seen: Seen, probes: Probes) -> Sums:
    """Find the sums of every gate of the units that are wrong; those of the others are taken as right."""
    H = seen.h.shape[1]
    x = seen.x.reshape(INPUTS, -1, seen.x.shape[1]).mean(axis=1)
    want = coefficients(seen.layer, probes, x)
    now = np.concatenate([np.repeat(probes.design[:1], H, axis=0), seen.got_c[:1].T], axis=1)
    right = Sums(
        want,
        want,
        np.zeros_like(want),
        seen.layer.W.reshape(4, H, -1).swapaxes(0, 1),
        now,
        max(seen.bound_h, seen.bound_c),
    )
    parts, starts = list(parts_of(seen, probes, want)), list[tuple[float, int, Array]]()
    few = max((len(part.units) for part in parts), default=0) < min(MOST_UNITS, H) / 4
    for n, variant in enumerate(
        [] if few else variants(seen.layer, seen.biases)
    ):  # one at a time: each is a whole layer
        missed, got = seen.misses(variant.layer), coefficients(variant.layer, probes, x)
        if missed <= 1:
            return right._replace(got=got, allowed=1e-6 * np.abs(want), known=variant)
        starts = sorted([*starts, (missed, n, got)], key=lambda start: start[:2])[:_STARTS]
    found = [one for one in map(_one_term, parts) if one is not None]
    if parts and len(found) == len(parts):
        return _alone(right, parts, found)
    return _all_free(right, parts, [start for *_, start in starts])


def _one_term(part: Part) -> tuple[tuple[Term, ...], Fit] | None:
    """The terms that explain every answer if one alone may differ, the nearest first, and its fit."""
    n, some = part.want.shape[2], slice(SOME_UNITS)
    problem = part.problem.of(some)
    explained: list[tuple[float, Term, Array]] = []
    for g, gate in enumerate(TORCH_GATES[part.gates]):
        for term, basis in directions(n):
            free = np.zeros((len(TORCH_GATES[part.gates]), n, basis.shape[1]))
            free[g] = basis
            found = fitting.fit(problem, part.want[some], free.reshape(-1, basis.shape[1]))
            if (least := float(found.least.max())) <= part.bound:
                explained.append((least, Term(gate, term), free.reshape(-1, basis.shape[1])))
    if not explained:
        return None
    biases = {one.gate for _, one, _ in explained if one.term == "b"}  # what a bias explains, weights do too
    explained = [one for one in explained if one[1].term != "W" or one[1].gate not in biases]
    explained.sort(key=lambda one: one[:2])
    return tuple(term for _, term, _ in explained), fitting.fit(part.problem, part.want, explained[0][2])


def _alone(right: Sums, parts: list[Part], found: list[tuple[tuple[Term, ...], Fit]]) -> Sums:
    got, allowed = right.got.copy(), right.allowed.copy()
    for part, (_, one) in zip(parts, found, strict=True):
        _put(got, allowed, part, one, np.ones(len(part.units), bool))
    return right._replace(got=got, allowed=allowed, alone=tuple(terms for terms, _ in found))


def _all_free(right: Sums, parts: list[Part], starts: list[Array]) -> Sums:
    got, allowed, met = right.got.copy(), right.allowed.copy(), True
    for part in parts:
        others = [start[part.units][:, part.gates, : part.want.shape[2]] for start in starts]
        found = fewest(part, _best(part, others))
        meets = found.least <= part.bound  # of a unit that none does, nothing is said
        _put(got, allowed, part, found, meets)
        met = met and bool(meets.any())
    return right._replace(got=got, allowed=allowed, met=met)


def _put(got: Array, allowed: Array, part: Part, found: Fit, which: Array) -> None:
    there = np.ix_(part.units[which], np.arange(4)[part.gates], np.arange(part.want.shape[2]))
    got[there], allowed[there] = found.theta[which], found.spread[which] * part.bound


def _best(part: Part, starts: list[Array]) -> Fit:
    """Of several starts, for each unit the fit that meets its answers best."""
    found = fitting.fit(part.problem, part.want)
    for start in starts:
        if (found.least <= part.bound).all():
            break
        other = fitting.fit(part.problem, start)
        better = other.least < found.least
        found = Fit(*(np.where(_as_wide(better, new), new, old) for new, old in zip(other, found, strict=True)))
    return found


def _as_wide(mask: Array, like: Array) -> Array:
    return mask.reshape(-1, *[1] * (like.ndim - 1))
