"""How far a right answer may be off: derived from the very case, the same for every runtime.

As `lstmbench.parity.bound` derives it for models: the operator of `lstmbench.evaluator` runs in the type of the cell,
once as it is and RUNS times with hidden units and input features in other orders, which is the same function with
other orders of summation. For each of Y, Y_h and Y_c,

    tolerance = K · max(largest error of these runs, u · √T · max(1, max|right|)),    K = 10

with u half a unit in the last place of the type. In two types the runs meet the error of an engine itself, or more, and
K is 2: float16, where they round every intermediate number, and products of integers, where they round what is
multiplied as ONNX's DynamicQuantizeLinear says, all of X at once and h at each step.
"""

import math
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lstmbench.evaluator import Direction, one_step
from lstmbench.mistakes import Array, Case, Outputs, distance, right
from lstmbench.mistakes.case import run
from lstmbench.model import arithmetic

K, K_ROUNDED, RUNS = 10.0, 2.0, 4
_GATES = {"W": 4, "R": 4, "B": 8, "P": 3}  # blocks of H rows


def tolerances(case: Case, *, integers: bool = False) -> tuple[float, float, float]:
    """How far Y, Y_h and Y_c may be off."""
    want, dtype = right(case), case.tensors["X"].dtype
    compute = _in_integers if integers else run
    errors = np.max([_errors(compute, case, orders, want) for orders in _orders(case)], axis=0)
    k = K_ROUNDED if integers or dtype == np.float16 else K
    time = case.tensors["X"].shape[1 if case.how.layout else 0]
    walk = float(np.finfo(dtype).eps) / 2 * math.sqrt(max(1, time))
    sizes = [max(1.0, distance(array, np.zeros(()))) for array in want]
    Y, Y_h, Y_c = (k * max(float(error), walk * size) for error, size in zip(errors, sizes, strict=True))
    return Y, Y_h, Y_c


def _orders(case: Case) -> list[tuple[NDArray[Any], NDArray[Any]]]:
    """Where each unit and each feature stands: as they are, then RUNS draws."""
    rng = np.random.default_rng(0)
    H, E = case.hidden, case.tensors["X"].shape[2]
    return [(np.arange(H), np.arange(E)), *((rng.permutation(H), rng.permutation(E)) for _ in range(RUNS))]


def _errors(
    compute: Callable[[Case], Outputs], case: Case, orders: tuple[NDArray[Any], NDArray[Any]], want: Outputs
) -> list[float]:
    units, features = orders
    back = np.argsort(units)
    got = compute(_reordered(case, units, features))
    return [distance(g[..., back], w) for g, w in zip(got, want, strict=True)]


def _reordered(case: Case, units: NDArray[Any], features: NDArray[Any]) -> Case:
    columns = {"X": features, "W": features, "R": units, "initial_h": units, "initial_c": units}
    made: dict[str, Array] = {}
    for name, array in case.tensors.items():
        if name in _GATES:
            blocks = array.reshape(len(array), _GATES[name], len(units), *array.shape[2:])
            array = blocks[:, :, units].reshape(array.shape)  # noqa: PLW2901
        made[name] = array[..., columns[name]] if name in columns else array
    return case.but(**made)


def _in_integers(case: Case) -> Outputs:
    """The inputs of products in eight bits, weights as the case has them."""
    in_eight_bits = arithmetic.of("int8", ()).inputs
    X = case.tensors["X"]
    rounded = in_eight_bits(X.reshape(-1, X.shape[-1])).reshape(X.shape)

    def step(x: Array, h: Array, c: Array, direction: Direction) -> tuple[Array, Array]:
        return one_step(x, in_eight_bits(h), c, direction)

    return run(case.but(X=rounded), step=step)
