"""The operators that sum along an axis, each able to take the terms in another order.

In float64 they take the natural order. In float32 another order is the same function with other roundings; those that
reduce add one term after the other there, as the plainest engine does, where NumPy adds in pairs.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from onnx.reference.op_run import OpRun

Array = NDArray[Any]


class Sums:
    """How the sums of a run are taken, and how many of them followed one another at most."""

    def __init__(self) -> None:
        self.rng: np.random.Generator | None = None  # absent: in the natural order
        self.steps = 0  # products of matrices, and steps of an LSTM

    def order(self, size: int) -> NDArray[np.intp]:
        """In which order `size` terms are summed."""
        return np.arange(size) if self.rng is None else self.rng.permutation(size)

    def along(self, x: Array, axes: tuple[int, ...]) -> Array:
        """Sum along these axes, which stay with the size 1."""
        if x.dtype != np.float32 or not x.size:
            return np.asarray(x.sum(axis=axes, keepdims=True, dtype=x.dtype))
        kept = [size for axis, size in enumerate(x.shape) if axis not in axes]
        terms = np.moveaxis(x, axes, range(-len(axes), 0)).reshape(*kept, -1)
        total = np.add.accumulate(terms[..., self.order(terms.shape[-1])], axis=-1)[..., -1]
        return total.reshape([1 if axis in axes else size for axis, size in enumerate(x.shape)])


class MatMul(OpRun):
    """Of stacked matrices."""

    sums: Sums

    def _run(self, a: Array, b: Array) -> tuple[Array]:
        self.sums.steps += 1
        if self.sums.rng is not None:
            order = self.sums.order(a.shape[-1])
            a, b = a[..., order], b[order] if b.ndim == 1 else b[..., order, :]
        return (np.asarray(np.matmul(a, b)),)


class Gemm(OpRun):
    """A product and what is added to it."""

    sums: Sums

    def _run(self, a: Array, b: Array, c: Array | None = None, **told: Any) -> tuple[Array]:
        self.sums.steps += 1
        a, b = a.T if told["transA"] else a, b.T if told["transB"] else b
        if self.sums.rng is not None:
            order = self.sums.order(a.shape[1])
            a, b = a[:, order], b[order]
        product = a.dtype.type(told["alpha"]) * (a @ b)
        return (product if c is None else product + a.dtype.type(told["beta"]) * c,)


class ReduceSum(OpRun):
    """Along the axes of an attribute or, in later versions, of an input; along all where none are given."""

    sums: Sums

    def _run(self, x: Array, axes: Any = None, **told: Any) -> tuple[Array]:
        along = axes_of(x, axes)
        if not along and told.get("noop_with_empty_axes"):
            return (x,)
        along = along or tuple(range(x.ndim))
        total = self._of(x, along) if along else x
        return (total if told.get("keepdims", 1) else np.asarray(total.squeeze(along)),)

    def _of(self, x: Array, axes: tuple[int, ...]) -> Array:
        return self.sums.along(x, axes)


class ReduceMean(ReduceSum):
    """As ReduceSum, over how many there are."""

    def _of(self, x: Array, axes: tuple[int, ...]) -> Array:
        if x.dtype.kind != "f":
            return np.asarray(x.mean(axis=axes, keepdims=True).astype(x.dtype))
        return np.asarray(super()._of(x, axes) / x.dtype.type(np.prod([x.shape[axis] for axis in axes])))


class ReduceLogSumExp(ReduceSum):
    """As ReduceSum, of powers, the largest of which is 1."""

    def _of(self, x: Array, axes: tuple[int, ...]) -> Array:
        most = x.max(axis=axes, keepdims=True)
        return np.asarray(np.log(self.sums.along(np.exp(x - most), axes)) + most)


class GlobalAveragePool(OpRun):
    """The mean of all that stands behind N and C."""

    sums: Sums

    def _run(self, x: Array) -> tuple[Array]:
        axes = tuple(range(2, x.ndim))
        return (np.asarray(self.sums.along(x, axes) / x.dtype.type(np.prod(x.shape[2:]))),)


def axes_of(x: Array, axes: Any) -> tuple[int, ...]:
    """Axes of an attribute or an input, counted from the front; () where none are given."""
    given = [] if axes is None else np.asarray(axes, np.int64).ravel().tolist()
    if any(not -x.ndim <= axis < x.ndim for axis in given):
        raise ValueError(f"axes {given} are not those of a shape {x.shape}")
    return tuple(sorted({axis % x.ndim for axis in given}))
