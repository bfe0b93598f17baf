"""Of explanations that meet every answer, one that accuses no term without need.

c' is a sum of products: far from the reference some sums give the answers too, within what noise allows, and a fit in
which every term is free may end there. A term whose own coordinates can stay the reference's is not accused.
"""

from collections.abc import Iterator
from itertools import product

import numpy as np

from lstmbench.check.differences import fit as fitting
from lstmbench.check.differences.fit import MORE, Fit
from lstmbench.check.differences.isolated import Array
from lstmbench.check.differences.parts import PARTS, Part


def fewest(part: Part, found: Fit) -> Fit:
    """The fit again without the terms that it can do without, those of the fewest units first."""
    met = found.least <= part.bound
    over = np.abs(found.theta - part.want) > found.spread * part.bound + MORE  # (U, G, n)
    accused = {key: int(over[met][:, key[0], PARTS[key[1]]].any(axis=1).sum()) for key in _terms(part)}
    kept = [key for key in accused if accused[key]]
    for key in sorted(kept, key=lambda key: accused[key]):
        fewer = [one for one in kept if one != key]
        other = _again(part, found, met, _chosen(part, fewer)) if fewer else None
        if other is not None:
            kept, found = fewer, other
    return found


def _again(part: Part, found: Fit, met: Array, chosen: Array) -> Fit | None:
    """Of the units that were met, the fit with these coordinates (G, n) free alone; None if it does not meet all."""
    free: Array = np.eye(chosen.size)[:, chosen.ravel()]
    missed = met.copy()
    for start in _starts(part, found, chosen):
        other = fitting.fit(part.problem.of(missed), start[missed], free)
        meets = other.least <= part.bound
        better = _put(np.zeros_like(met), missed, meets)
        found = Fit(*(_put(old, better, new[meets]) for new, old in zip(other, found, strict=True)))
        missed &= ~better
        if not missed.any():
            return found
    return None


def _starts(part: Part, found: Fit, chosen: Array) -> Iterator[Array]:
    """From the reference, from what was found, and from what files hold that are wrong in whole terms."""
    yield part.want
    yield np.where(chosen, found.theta, part.want)
    yield from (np.where(chosen, scale * part.want, part.want) for scale in (0.5, 0.0, -1.0))


def _terms(part: Part) -> list[tuple[int, str]]:
    return list(product(range(part.want.shape[1]), PARTS))


def _chosen(part: Part, terms: list[tuple[int, str]]) -> Array:
    """The coordinates of these terms, (G, n)."""
    chosen: Array = np.zeros(part.want.shape[1:], bool)
    for g, term in terms:
        chosen[g, PARTS[term]] = True
    return chosen


def _put(old: Array, where: Array, new: Array) -> Array:
    made = old.copy()
    made[where] = new
    return made
