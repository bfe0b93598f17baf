"""The gates that decide on c', and the one that decides on h' then; what each of their terms may be off by."""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from lstmbench.check.differences import fit as fitting
from lstmbench.check.differences.answers import Seen
from lstmbench.check.differences.fit import Curve, Problem
from lstmbench.check.differences.isolated import Array
from lstmbench.check.differences.probes import DIRECTIONS, INPUTS, Probes

MOST_UNITS = 256  # that are looked at: what bounds memory
PARTS = {"x": slice(0, INPUTS), "h": slice(INPUTS, INPUTS + DIRECTIONS), "c": slice(INPUTS + DIRECTIONS, None)}


class Part(NamedTuple):
    """The gates that decide on c', or the one that decides on h' then."""

    gates: slice  # of TORCH_GATES
    problem: Problem  # of the units that are wrong
    want: Array  # (U, G, n)
    units: Array
    bound: float


def parts_of(seen: Seen, probes: Probes, want: Array) -> Iterator[Part]:
    """Of i, f and g by c', of o by h' and c' as it came out; a part without a unit that is wrong is left out."""
    design = np.repeat(probes.design[None], len(want), axis=0)
    with_c = np.concatenate([design, seen.got_c.T[:, :, None]], axis=2)
    exact = seen.exact()
    both: tuple[tuple[slice, Array, Array, Curve, Array, float], ...] = (
        (slice(0, 3), design, seen.c.T, fitting.cell_state, seen.got_c.T, seen.bound_c),
        (slice(3, 4), with_c, seen.got_c.T, fitting.output, seen.got_h.T, seen.bound_h),
    )
    for gates, A, known, curve, got, bound in both:
        theta = want[:, gates, : A.shape[2]]
        right, straight = (curve(z, known)[0] for z in (exact[:, gates], np.einsum("uqm,ugm->ugq", A, theta)))
        off = np.abs(got - right).max(axis=1)
        units = np.argsort(-off)[: min(MOST_UNITS, int((off > bound).sum()))]
        if len(units):
            problem = Problem(A, known, got - right + straight, curve).of(units)
            yield Part(gates, problem, theta[units], units, bound)


def directions(n: int) -> Iterator[tuple[str, Array]]:
    """In which directions of θ (n,) each term may differ, (n, p): a bias by the same for all inputs."""
    every = np.eye(n)
    yield "b", every[:, PARTS["x"]].sum(axis=1, keepdims=True)
    for term, part in (("W", "x"), ("U", "h"), ("P", "c")):
        yield term, every[:, PARTS[part]]
