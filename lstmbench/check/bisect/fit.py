"""From the answers of one call to the sums of the gates: least squares, for every unit of a layer at once.

c' = σ(f) ⊙ c + σ(i) ⊙ tanh(g) and h' = σ(o) ⊙ tanh(c'), c' as it came out, each sum being A θ with A known and θ
sought: Levenberg-Marquardt. If every answer is off by no more than its bound, then to first order θ is off by no more
than ‖row of the pseudo-inverse of the Jacobian‖₁ · bound: that is what a θ is allowed to differ from what it must be.
"""

from collections.abc import Callable
from typing import NamedTuple, TypeAlias

import numpy as np

from lstmbench.check.bisect.isolated import Array
from lstmbench.model.reference import sigmoid

# sums z (U, G, Q) -> value (U, Q) and its derivative by each sum (U, G, Q)
Curve: TypeAlias = Callable[[Array], tuple[Array, Array]]
ROUNDS = 60


class Problem(NamedTuple):
    """U units; G gates each; Q rows; n coordinates."""

    design: Array  # (U, Q, n)
    got: Array  # (U, Q)
    curve: Curve


class Fit(NamedTuple):
    """What was found."""

    theta: Array  # (U, G, n)
    worst: Array  # (U,): the largest residual of any row
    spread: Array  # (U, G, n): how far θ moves if answers move by 1; infinite where they do not tell it


def cell_state(c: Array) -> Curve:
    """C' by the sums of i, f, g: c (U, Q)."""

    def curve(z: Array) -> tuple[Array, Array]:
        i, f, g = sigmoid(z[:, 0]), sigmoid(z[:, 1]), np.tanh(z[:, 2])
        by = np.stack([g * i * (1 - i), c * f * (1 - f), i * (1 - g * g)], axis=1)
        return f * c + i * g, by

    return curve


def output(c_next: Array) -> Curve:
    """H' by the sum of o: c' (U, Q) as it came out."""
    seen = np.tanh(c_next)

    def curve(z: Array) -> tuple[Array, Array]:
        o = sigmoid(z[:, 0])
        return o * seen, (seen * o * (1 - o))[:, None]

    return curve


def fit(problem: Problem, start: Array) -> Fit:
    """Go from θ (U, G, n) down to where the answers are met best."""
    theta, damping = start.copy(), np.full(len(start), 1e-3)
    residual, J = _linear(problem, theta)
    cost = np.square(residual).sum(axis=1)
    for _ in range(ROUNDS):
        step = _step(J, residual, damping)
        trial = theta + step.reshape(theta.shape)
        new_residual, new_J = _linear(problem, trial)
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
    return Fit(theta, np.abs(residual).max(axis=1), _spread(J, theta.shape))


def _linear(problem: Problem, theta: Array) -> tuple[Array, Array]:
    """Residuals (U, Q) and the Jacobian of the values (U, Q, G·n)."""
    z = np.einsum("uqn,ugn->ugq", problem.design, theta)
    value, by = problem.curve(z)
    J = by.transpose(0, 2, 1)[..., None] * problem.design[:, :, None, :]
    return problem.got - value, J.reshape(*value.shape, -1)


def _step(J: Array, residual: Array, damping: Array) -> Array:
    normal = J.transpose(0, 2, 1) @ J
    diagonal = np.einsum("uii->ui", normal)
    scaled = damping[:, None] * (diagonal + 1e-12 * (1 + diagonal.max(axis=1, keepdims=True)))
    normal = normal + scaled[:, :, None] * np.eye(normal.shape[-1])
    right = np.einsum("uqm,uq->um", J, residual)
    solved: Array = np.linalg.solve(normal, right[..., None])[..., 0]
    return solved


def _spread(J: Array, shape: tuple[int, ...]) -> Array:
    """‖row of J⁺‖₁; infinite where J says too little to tell."""
    size = np.sqrt(np.square(J).sum(axis=1))
    told = size > 1e-9
    scaled = J / np.where(told, size, 1)[:, None]
    pinv = np.linalg.pinv(scaled, rcond=1e-10)
    spread = np.abs(pinv).sum(axis=2) / np.where(told, size, 1)
    return np.where(told, spread, np.inf).reshape(shape)
