"""Weights in fewer bits: the codes that a file stores, and the model that those codes stand for.

A row is what one output unit multiplies its inputs with: matrices here are (outputs, inputs). int8 has a scale a row,
so that the row's largest weight is 127 (symmetric). The recurrent matrix of a `full` cell has one scale for all rows
where that puts it off by 2.5 % at most, twice what a scale a row does: it saves a node a step, and what it costs in
perplexity is measured with the rest. int4 has a scale for BLOCK inputs of a row, whose largest weight, sign included,
is -8 (ONNX Runtime's MatMulNBits); of a block of zeros it is next to nothing, since the engine's int8 road, which takes
the 8 off afterwards, leaves some of a larger one.
"""

import math
from typing import Any, NamedTuple

import msgspec
import numpy as np
from numpy.typing import NDArray

from lstmbench.arrays import Floats, Weights
from lstmbench.model.weights import COMBINE, SCORE
from lstmbench.records import ModelConfig, Precision

BLOCK = 32  # weights that share a scale in int4
_LITTLE = 0.025
TINY = 1e-30  # numbers below it are zeros
_GROUPS = (("weight_ih",), ("weight_hh", "weight_ch"))  # matrices that stand side by side in one product


class Codes(NamedTuple):
    """A matrix (N, K) in integers: value = code · scale of its block."""

    codes: NDArray[np.int8]  # (N, K)
    scales: Floats  # (N, ceil(K / block))
    block: int  # inputs that share a scale


def codes_of(matrix: Floats, precision: Precision, *, hot: bool = False) -> Codes:
    """Round (N, K) to int8 or int4 codes; `hot`: a node a step counts, so rows share a scale where that does little."""
    if precision in ("int4", "int4a8"):
        return _in_blocks(matrix, BLOCK)
    same = _coded(matrix, np.full(len(matrix), np.abs(matrix).max()))
    return same if hot and _off(same, matrix) <= _LITTLE else _coded(matrix, np.abs(matrix).max(axis=1))


def restore(stored: Codes) -> Floats:
    """The matrix (N, K) that codes stand for, float32."""
    spread = np.repeat(stored.scales, stored.block, axis=1)[:, : stored.codes.shape[1]]
    return stored.codes.astype(np.float32) * spread


def untied(config: ModelConfig, weights: Weights) -> tuple[ModelConfig, Weights]:
    """The same function with a projection of its own: rounded, it no longer equals the embedding."""
    if not config.tie_weights:
        return config, weights
    own = weights | {"decoder.weight": weights["embedding.weight"]}
    return msgspec.structs.replace(config, tie_weights=False), own


def rounded(config: ModelConfig, weights: Weights, precision: Precision) -> tuple[ModelConfig, Weights]:
    """The model that a file of that precision holds, float32; of integers, biases and diagonal peepholes stay."""
    if precision == "fp32":
        return config, weights
    if precision == "fp16":
        return config, {name: half(tensor) for name, tensor in weights.items()}
    config, weights = untied(config, weights)
    return config, weights | dict(_rounded_matrices(config, weights, precision))


def half(values: NDArray[Any]) -> NDArray[Any]:
    """The nearest float16 numbers, in the dtype that came."""
    return values.astype(np.float16).astype(values.dtype)


def shortened(values: NDArray[Any], bits: int, *, cut: bool = False) -> NDArray[Any]:
    """The nearest float32 of so many bits of mantissa behind the point, ties to even, in the dtype that came.

    10 are those of TF32, 7 of bfloat16. `cut`: the next towards zero, as hardware does that ignores the other bits.
    """
    stored, dropped = values.astype(np.float32).view(np.uint32), 23 - bits
    if not cut:
        stored = stored + np.uint32((1 << (dropped - 1)) - 1) + (stored >> dropped & 1)
    kept = stored & np.uint32(0xFFFFFFFF << dropped & 0xFFFFFFFF)
    return kept.view(np.float32).astype(values.dtype)


def bfloat16(values: NDArray[Any]) -> Floats:
    """The nearest numbers of 8 bits of mantissa, ties to even, float32."""
    return shortened(values.astype(np.float32), 7)


def _rounded_matrices(config: ModelConfig, weights: Weights, precision: Precision) -> list[tuple[str, Floats]]:
    done = list[tuple[str, Floats]]()
    for names in products(config, weights):
        widths = [weights[name].shape[1] for name in names]
        product = np.concatenate([weights[name] for name in names], axis=1)
        whole = restore(codes_of(product, precision, hot=len(names) > 1))
        done += zip(names, np.split(whole, np.cumsum(widths)[:-1], axis=1), strict=True)
    return done


def products(config: ModelConfig, weights: Weights) -> list[list[str]]:
    """The names of the matrices of each product."""
    suffixes = [f"_l{k}{way}" for k in range(config.num_layers) for way in ("", "_reverse")[: config.directions]]
    named = [[f"lstm.{kind}{suffix}" for kind in kinds] for suffix in suffixes for kinds in _GROUPS]
    named += [["decoder.weight"]] if config.head == "lm" else []
    named += [[SCORE], [COMBINE]] if config.attention else []
    return [[name for name in names if name in weights and weights[name].ndim == 2] for names in named]


def _coded(matrix: Floats, peaks: Floats) -> Codes:
    """With 127 for the peak of each row (N,)."""
    scales = np.where(peaks > TINY, peaks / 127, 1).astype(np.float32)[:, None]
    return Codes(np.rint(matrix / scales).clip(-127, 127).astype(np.int8), scales, matrix.shape[1])


def _off(stored: Codes, matrix: Floats) -> float:
    """Root mean square of the rounding over that of the weights."""
    size = float(np.square(matrix, dtype=np.float64).sum()) or 1.0
    return math.sqrt(float(np.square(restore(stored) - matrix, dtype=np.float64).sum()) / size)


def _in_blocks(matrix: Floats, block: int) -> Codes:
    N, K = matrix.shape
    blocks = np.pad(matrix, ((0, 0), (0, -K % block))).reshape(N, -1, block)
    at = np.abs(blocks).argmax(axis=-1, keepdims=True)
    peak = np.take_along_axis(blocks, at, axis=-1)
    scales = np.where(np.abs(peak) > TINY, peak / -8, TINY).astype(np.float32)
    codes = np.rint(blocks / scales).clip(-8, 7).astype(np.int8)
    return Codes(codes.reshape(N, -1)[:, :K], scales[..., 0], block)
