"""From the answers of one call to the sums of the gates: least squares, for every unit of a layer at once.

c' = σ(f) ⊙ c + σ(i) ⊙ tanh(g) and h' = σ(o) ⊙ tanh(c'), c' as it came out, each sum being A θ with A known and θ
sought: Levenberg-Marquardt. Let the right θ* meet every answer up to ε, |ε| ≤ bound in each row, and J be the Jacobian.
To first order least squares ends at θ* + J⁺ε and leaves (I − JJ⁺)ε. So, with no number chosen,

    |θ − θ*| ≤ ‖row of J⁺‖₁ · bound       what a θ may differ from what it must be
    |residual| ≤ ‖row of I − JJ⁺‖₁ · bound     what a right explanation may leave; one that leaves more is none
"""

from collections.abc import Callable
from typing import NamedTuple, TypeAlias

import numpy as np

from lstmbench.check.differences.isolated import Array
from lstmbench.model.reference import sigmoid

# sums z (U, G, Q), what else is known (U, Q) -> value (U, Q) and its derivative by each sum (U, G, Q)
Curve: TypeAlias = Callable[[Array, Array], tuple[Array, Array]]
ROUNDS = 60
MORE = 1e-9  # what is off by less is not


class Problem(NamedTuple):
    """U units; G gates each; Q rows; n coordinates."""

    design: Array  # (U, Q, n)
    known: Array  # (U, Q)
    got: Array  # (U, Q)
    curve: Curve

    def of(self, units: slice | Array) -> "Problem":
        """Of some units."""
        return Problem(self.design[units], self.known[units], self.got[units], self.curve)


class Fit(NamedTuple):
    """What was found."""

    theta: Array  # (U, G, n)
    least: Array  # (U,): the least bound of the answers that can leave such residuals
    spread: Array  # (U, G, n): how far θ moves if answers move by 1; infinite where they do not tell it


def cell_state(z: Array, c: Array) -> tuple[Array, Array]:
    """C' by the sums of i, f, g."""
    i, f, g = sigmoid(z[:, 0]), sigmoid(z[:, 1]), np.tanh(z[:, 2])
    return f * c + i * g, np.stack([g * i * (1 - i), c * f * (1 - f), i * (1 - g * g)], axis=1)


def output(z: Array, c_next: Array) -> tuple[Array, Array]:
    """H' by the sum of o, c' being known as it came out."""
    o, squashed = sigmoid(z[:, 0]), np.tanh(c_next)
    return o * squashed, (squashed * o * (1 - o))[:, None]


def fit(problem: Problem, start: Array, free: Array | None = None) -> Fit:
    """Go from θ (U, G, n) down to where the answers are met best; in the directions `free` (G·n, p), or in all."""
    theta, damping = start.copy(), np.full(len(start), 1e-3)
    basis = np.eye(start[0].size) if free is None else free
    residual, J = _linear(problem, theta, basis)
    cost = np.square(residual).sum(axis=1)
    for _ in range(ROUNDS):
        step = _step(J, residual, damping)
        trial = theta + (step @ basis.T).reshape(theta.shape)
        new_residual, new_J = _linear(problem, trial, basis)
        new_cost = np.square(new_residual).sum(axis=1)
        better = new_cost < cost
        gained = np.where(better, cost - new_cost, 0) > 1e-12 * cost
        theta[better], residual[better], J[better], cost[better] = (
            trial[better],
            new_residual[better],
            new_J[better],
            new_cost[better],
        )
        damping = np.where(better, damping / 10, damping * 10).clip(1e-15, 1e9)
        if not (gained | (~better & (damping < 1e8))).any():
            break
    inverse = _inverse(J)
    return Fit(theta, _least_bound(J, inverse, residual), _spread(inverse, basis).reshape(theta.shape))


def _linear(problem: Problem, theta: Array, basis: Array) -> tuple[Array, Array]:
    """Residuals (U, Q) and the Jacobian of the values in the free directions (U, Q, p)."""
    z = np.einsum("uqn,ugn->ugq", problem.design, theta)
    value, by = problem.curve(z, problem.known)
    J = by.transpose(0, 2, 1)[..., None] * problem.design[:, :, None, :]
    return problem.got - value, J.reshape(*value.shape, -1) @ basis


def _step(J: Array, residual: Array, damping: Array) -> Array:
    normal = J.transpose(0, 2, 1) @ J
    diagonal = np.einsum("uii->ui", normal)
    scaled = damping[:, None] * (diagonal + 1e-12 * (1 + diagonal.max(axis=1, keepdims=True)))
    normal = normal + scaled[:, :, None] * np.eye(normal.shape[-1])
    right = np.einsum("uqm,uq->um", J, residual)
    solved: Array = np.linalg.solve(normal, right[..., None])[..., 0]
    return solved


def _inverse(J: Array) -> Array:
    """J⁺ (U, p, Q); rows of infinities for what J says too little of."""
    size = np.sqrt(np.square(J).sum(axis=1))
    told = size > 1e-9
    scale = np.where(told, size, 1)
    inverse: Array = np.linalg.pinv(J / scale[:, None], rcond=1e-10) / scale[..., None]
    return np.where(told[..., None], inverse, np.inf)


def _least_bound(J: Array, inverse: Array, residual: Array) -> Array:
    """Of each unit max |residual| / ‖row of I − JJ⁺‖₁, a unit at a time: that matrix is (Q, Q)."""
    return np.array(
        [np.max(np.abs(r) / left_of(j, j_inverse)) for j, j_inverse, r in zip(J, inverse, residual, strict=True)]
    )


def left_of(J: Array, inverse: Array) -> Array:
    """‖row of I − JJ⁺‖₁ of each of Q; a row that is met whatever it is has next to nothing."""
    told = np.isfinite(inverse).all(axis=1)
    left = np.eye(len(J)) - J[:, told] @ inverse[told]
    sums: Array = np.abs(left).sum(axis=1)
    return np.maximum(sums, 1e-6)


def _spread(inverse: Array, basis: Array) -> Array:
    """‖row of J⁺‖₁ of each of G·n; infinite where J says too little to tell."""
    spread = np.where(np.isfinite(inverse).all(axis=2), np.abs(inverse).sum(axis=2), 1e30)
    wide: Array = spread @ np.abs(basis).T
    return np.where(wide >= 1e30, np.inf, wide)
