"""Operators of which `onnx.reference` 1.23 gives other answers than the standard, as the standard has them.

Each line of its documentation says what the other does. `tests/evaluator/study.py` finds them: it runs the cases
that come with the onnx package on an engine.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from onnx.reference.op_run import OpRun
from onnx.reference.ops.op_resize import Resize as _Resize

from lstmbench.evaluator.sums import Sums

Array = NDArray[Any]
_ROUNDED = 2.0**-22  # relative: a scale that was rounded to float32, and its product with a size


class LRN(OpRun):
    """Along the channels; there as many as there are rows, in four axes alone.

    y = x / (bias + alpha / size · Σ x²)^beta, the sum over the channels c - ⌊(size - 1)/2⌋ to c + ⌈(size - 1)/2⌉.
    """

    sums: Sums

    def _run(self, x: Array, alpha: float, beta: float, bias: float, size: int) -> tuple[Array]:
        before, channels = (size - 1) // 2, x.shape[1]
        ends = [(max(0, c - before), min(channels, c + size - before)) for c in range(channels)]
        total = np.concatenate([self.sums.along(x[:, first:last] ** 2, (1,)) for first, last in ends], axis=1)
        kind = x.dtype.type
        return (np.asarray(x / (kind(bias) + kind(alpha / size) * total) ** kind(beta)),)


class LpNormalization(OpRun):
    """By the norm; there a sum of odd powers, without magnitudes. Where it is 0 the answer is."""

    sums: Sums

    def _run(self, x: Array, axis: int, p: int) -> tuple[Array]:
        norm = self.sums.along(np.abs(x) ** p, (axis % x.ndim,))
        norm = np.sqrt(norm) if p == 2 else norm
        return (np.divide(x, norm, out=np.zeros_like(x), where=norm != 0),)


class OneHot(OpRun):
    """Indices as integers, whatever they come in; there floats are compared as they are."""

    def _run(self, indices: Array, depth: Array, values: Array, axis: int) -> tuple[Array]:
        size, index = int(np.asarray(depth).ravel()[0]), np.asarray(indices).astype(np.int64)
        hot = np.where(index < 0, index + size, index)[..., None] == np.arange(size)
        off, on = values
        return (np.moveaxis(np.where(hot, on, off), -1, axis),)


class Resize(_Resize):
    """Refused where the standard leaves open which size is meant: of what scales give, or of what comes out."""

    # what it is told beside its inputs is handed on as it is
    def _run(self, X: Array, roi: Any = None, scales: Any = None, sizes: Any = None, **told: Any) -> Any:  # type: ignore[override]
        if scales is not None and len(scales):
            _demand_whole(X, scales, told)
        return super()._run(X, roi, scales, sizes, **told)


def _demand_whole(X: Array, scales: Any, told: dict[str, Any]) -> None:
    along = told.get("axes") or range(X.ndim)
    wanted = np.array([X.shape[axis] for axis in along]) * np.asarray(scales, np.float64)
    off = np.abs(wanted - np.round(wanted))
    if np.any((off > 0) & (off < _ROUNDED * wanted)):
        raise ValueError("scales that give whole sizes but for rounding, where implementations differ")
    if told["coordinate_transformation_mode"] == "align_corners" and off.any():
        raise ValueError("align_corners at scales that give no whole sizes, where implementations differ")
