"""One output against the reference: a verdict that names the worst element."""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

Index = tuple[int, ...]


ALL = slice(None)


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


def compare(  # noqa: PLR0913 (what is compared, and which part of it)
    got: NDArray[Any],
    want: NDArray[np.float64],
    *,
    name: str,
    bound: float,
    judged: int | None = None,
    time_axis: int = 1,
    columns: slice = ALL,
) -> Verdict:
    """Judge an output of a runtime, which must be float32 in every precision, by the float64 reference.

    `judged`: so many steps of the axis of time, from the first, all if None; 0 reports the error of all and judges
    none of it. What is not finite, or of another shape, fails wherever it stands. `want` may be `columns` of the last
    axis alone, and then only those are compared.
    """
    got = got if columns == ALL else got[..., columns]  # a number alone has no axis
    if got.dtype != np.float32 or got.shape != want.shape:
        reason = f"{name} is {got.dtype} {got.shape}, the reference says float32 {want.shape}"
        return Verdict(None, (), None, None, reason)
    if not np.isfinite(got).all():
        return _not_finite(got, want, name, columns)
    error = np.abs(got - want)  # in float64
    error = error[(slice(None),) * time_axis + (slice(judged),)] if judged else error
    index = _index(int(error.argmax()), error.shape)
    worst, here, there = float(error[index]), float(got[index]), float(want[index])
    within, index = judged == 0 or worst <= bound < np.inf, _of_all(index, columns)  # false for NaN
    return Verdict(worst, index, here, there, "" if within else _reason(name, index, here, there, bound))


def _not_finite(got: NDArray[np.float32], want: NDArray[np.float64], name: str, columns: slice) -> Verdict:
    index = _index(int(np.isfinite(got).argmin()), got.shape)
    here, there, index = got[index], float(want[index]), _of_all(index, columns)
    reason = f"{name}{list(index)} is {here}, the reference says {there:.7g}"
    return Verdict(None, index, None, there, reason)


def _reason(name: str, index: Index, got: float, want: float, bound: float) -> str:
    return (
        f"{name}{list(index)} is {got:.7g}, the reference says {want:.7g}: "
        f"off by {abs(got - want):.1e}, allowed {bound:.1e}"
    )


def _index(flat: int, shape: Index) -> Index:
    return tuple(int(i) for i in np.unravel_index(flat, shape))


def _of_all(index: Index, columns: slice) -> Index:
    """The place among all columns."""
    if columns == ALL:
        return index
    return (*index[:-1], (columns.start or 0) + index[-1] * (columns.step or 1))
