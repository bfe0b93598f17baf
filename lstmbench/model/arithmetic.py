"""What engines make of numbers on their way through a model of lower precision, as functions of arrays.

The reference runs with one of these to show how much error a precision makes by itself. Integer products round their
inputs as they come: ONNX Runtime's DynamicQuantizeMatMul and DynamicQuantizeLSTM a whole tensor by one scale and one
zero point (8 bits, ONNX DynamicQuantizeLinear), MatMulNBits with accuracy_level 4 each block of a row by a scale.
"""

import functools
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from lstmbench.model.rounding import BLOCK, TINY, half
from lstmbench.records import Precision

Array: TypeAlias = NDArray[Any]


class Arithmetic(NamedTuple):
    """How the inputs of a product are rounded, and how every value that is stored."""

    inputs: Callable[[Array], Array]
    stored: Callable[[Array], Array]
    together: bool = False  # as ONNX Runtime's LSTM operators walk: see `of`


def _as_it_is(values: Array) -> Array:
    return values


def _by_call(values: Array, chunks: Sequence[int]) -> Array:
    """Eight bits over the range of all values of a call, zero included: (B, T, K) in chunks of T, or (B, K)."""
    if values.ndim == 2:
        return _in_eight_bits(values)
    pieces = np.split(values, np.cumsum(chunks)[:-1], axis=1)
    return np.concatenate([_in_eight_bits(piece) for piece in pieces], axis=1)


def _in_eight_bits(values: Array) -> Array:
    """ONNX DynamicQuantizeLinear, and back."""
    low, high = min(0.0, float(values.min())), max(0.0, float(values.max()))
    scale = (high - low) / 255 if high - low > TINY else 1.0
    zero = np.rint(-low / scale)
    rounded: Array = (((np.rint(values / scale) + zero).clip(0, 255) - zero) * scale).astype(values.dtype)
    return rounded


def _by_block(values: Array) -> Array:
    """Eight bits, symmetric, for each BLOCK numbers of a row: (…, K) -> (…, K)."""
    K = values.shape[-1]
    blocks = np.pad(values, [(0, 0)] * (values.ndim - 1) + [(0, -K % BLOCK)]).reshape(*values.shape[:-1], -1, BLOCK)
    peak = np.abs(blocks).max(axis=-1, keepdims=True)
    scale = np.where(peak > TINY, peak / 127, 1)
    rounded: Array = (np.rint(blocks / scale) * scale).reshape(*values.shape[:-1], -1)[..., :K]
    return rounded.astype(values.dtype)


EXACT = Arithmetic(_as_it_is, _as_it_is)


def of(precision: Precision, chunks: Sequence[int], *, operator: bool = False) -> Arithmetic:
    """How a precision computes a sequence that is cut into calls of so many steps.

    Where rows have lengths, the numbers that share a scale differ in an LSTM operator: its rows start together in the
    reverse direction too, h of a row is zero from a step after its end on, and no step is taken when all have ended.
    """
    if precision == "fp16":
        return Arithmetic(half, half)
    if precision == "int8":
        return Arithmetic(functools.partial(_by_call, chunks=chunks), _as_it_is, operator)
    return Arithmetic(_by_block, _as_it_is) if precision == "int4a8" else EXACT
