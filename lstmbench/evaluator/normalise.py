"""Operators that take a mean and a variance, whose sums take any order."""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from onnx.reference.op_run import OpRun

from lstmbench.evaluator.sums import Sums

Array = NDArray[Any]


class LayerNormalization(OpRun):
    """Over the axes from `axis` on -> what is normalised, the mean, 1 over the standard deviation."""

    sums: Sums

    def _run(
        self, x: Array, scale: Array, bias: Array | None = None, axis: int = -1, epsilon: float = 1e-5, **_: Any
    ) -> tuple[Array, ...]:
        mean, inverse = _moments(self.sums, x, tuple(range(axis % x.ndim, x.ndim)), epsilon)
        y = (x - mean) * inverse * scale
        return (y if bias is None else y + bias, mean, inverse)[: max(1, len(self.onnx_node.output))]


class InstanceNormalization(OpRun):
    """Of each row and channel, over all that stands behind them."""

    sums: Sums

    def _run(self, x: Array, scale: Array, bias: Array, epsilon: float) -> tuple[Array]:
        mean, inverse = _moments(self.sums, x, tuple(range(2, x.ndim)), epsilon)
        behind = (-1, *[1] * (x.ndim - 2))
        return ((x - mean) * inverse * scale.reshape(behind) + bias.reshape(behind),)


def _moments(sums: Sums, x: Array, axes: tuple[int, ...], epsilon: float) -> tuple[Array, Array]:
    """The mean, and 1 over the root of variance and epsilon; axes stay with the size 1."""
    count = x.dtype.type(np.prod([x.shape[axis] for axis in axes]))
    mean = sums.along(x, axes) / count
    variance = sums.along((x - mean) ** 2, axes) / count
    return np.asarray(mean), np.asarray(1 / np.sqrt(variance + x.dtype.type(epsilon)))
