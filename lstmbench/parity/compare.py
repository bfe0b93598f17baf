"""One output against the reference: a verdict that names the worst element."""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

Index = tuple[int, ...]


class Verdict(NamedTuple):
    """How far an output is off, where most, and in one line why that is too far; the fields of a `ParityRow`."""

    max_error: float | None  # absent where an output is not finite, or not float32 of the right shape
    worst_index: Index
    got: float | None  # at worst_index; absent where it is not finite
    want: float | None
    reason: str  # empty when it passed

    @property
    def passed(self) -> bool:
        """Whether the output is within its bound."""
        return not self.reason


def compare(
    got: NDArray[Any],
    want: NDArray[np.float64],
    *,
    name: str,
    bound: float,
    judged: int | None = None,
    time_axis: int = 1,
) -> Verdict:
    """Judge an output of a runtime, which must be float32 in every precision, by the float64 reference.

    `judged`: so many steps of the axis of time, from the first, all if None; 0 reports the error of all and judges
    none of it. What is not finite, or of another shape, fails wherever it stands.
    """
    if got.dtype != np.float32 or got.shape != want.shape:
        reason = f"{name} is {got.dtype} {got.shape}, the reference says float32 {want.shape}"
        return Verdict(None, (), None, None, reason)
    if not np.isfinite(got).all():
        return _not_finite(got, want, name)
    error = np.abs(got - want)  # in float64
    error = error[(slice(None),) * time_axis + (slice(judged),)] if judged else error
    index = _index(int(error.argmax()), error.shape)
    worst, here, there = float(error[index]), float(got[index]), float(want[index])
    within = judged == 0 or worst <= bound < np.inf  # false for NaN
    return Verdict(worst, index, here, there, "" if within else _reason(name, index, here, there, bound))


def _not_finite(got: NDArray[np.float32], want: NDArray[np.float64], name: str) -> Verdict:
    index = _index(int(np.isfinite(got).argmin()), got.shape)
    there = float(want[index])
    reason = f"{name}{list(index)} is {got[index]}, the reference says {there:.7g}"
    return Verdict(None, index, None, there, reason)


def _reason(name: str, index: Index, got: float, want: float, bound: float) -> str:
    return (
        f"{name}{list(index)} is {got:.7g}, the reference says {want:.7g}: "
        f"off by {abs(got - want):.1e}, allowed {bound:.1e}"
    )


def _index(flat: int, shape: Index) -> Index:
    return tuple(int(i) for i in np.unravel_index(flat, shape))
