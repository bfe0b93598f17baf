"""Random inputs of the operator, the same each time."""

import zlib
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from lstmbench.evaluator import Attributes
from lstmbench.mistakes import Array, Case
from lstmbench.model.rounding import codes_of, restore

T, B, E, H = 4, 3, 5, 7  # no two alike, E and H no multiples of what processors take at once
LENGTHS = (2, 4, 3)  # one row runs to the end
_STEP = 2.0**-6  # of inputs that eight bits hold as they are


class Scale(NamedTuple):
    """Standard deviations of what is drawn."""

    W: float = 0.5
    R: float = 0.5
    B: float = 0.5
    P: float = 1.0
    initial_h: float = 0.5
    initial_c: float = 1.5
    X: float = 1.0


def draw(
    name: str,
    *inputs: str,
    how: Attributes = Attributes(),  # noqa: B008 (a frozen tuple)
    sizes: tuple[int, int] = (B, T),
    scale: Scale = Scale(),  # noqa: B008
) -> Case:
    """X, W, R, B and what else is asked for, float32; sizes: B and T. Every number comes from the name alone."""
    rng = np.random.default_rng(zlib.crc32(name.encode()))
    D, (batch, time) = 2 if how.direction == "bidirectional" else 1, sizes
    shapes: dict[str, tuple[int, ...]] = {
        "X": (batch, time, E) if how.layout else (time, batch, E),
        "W": (D, 4 * H, E),
        "R": (D, 4 * H, H),
        "B": (D, 8 * H),
        "P": (D, 3 * H),
        "initial_h": (batch, D, H) if how.layout else (D, batch, H),
    }
    shapes["initial_c"] = shapes["initial_h"]
    drawn: dict[str, NDArray[Any]] = {
        n: (rng.normal(size=shape) * getattr(scale, n)).astype(np.float32) for n, shape in shapes.items()
    }
    drawn["sequence_lens"] = np.array(LENGTHS, np.int32)
    return Case({n: a for n, a in drawn.items() if n in ("X", "W", "R", "B", *inputs)}, how)


def on_integers(case: Case) -> Case:
    """The same with weights that int8 holds, a scale a row, and an X that eight bits hold, a step or all at once."""
    weights = {n: np.stack([restore(codes_of(matrix, "int8")) for matrix in case.tensors[n]]) for n in "WR"}
    return case.but(X=np.stack([_on_a_grid(x) for x in case.tensors["X"]]), **weights)


def _on_a_grid(x: Array) -> Array:
    """Whole steps, from -127 to 128 of them: the range that makes a step the scale, and zero one of the codes."""
    steps = np.rint(x / _STEP).clip(-127, 128)
    flat = steps.reshape(-1)  # a view
    flat[flat.argmin()], flat[flat.argmax()] = -127, 128
    return (steps * _STEP).astype(x.dtype)
