"""What a model's equations need: operations, and numbers of weights to read, whatever the engine does besides."""

import math
from typing import NamedTuple

from lstmbench.model.weights import expected_shapes
from lstmbench.records import ModelConfig, Precision


class Demand(NamedTuple):
    """Of one call on (B, T) from the first step to the last."""

    operations: int  # a multiplication and an addition are two
    weights: int  # numbers that take part in products: all matrices and peepholes but the embedding, biases left out
    reads: int  # of these, each counted as often as it must be read


BYTES: dict[Precision, float] = {"fp32": 4, "fp16": 2, "int8": 1, "int4": 0.5, "int4a8": 0.5}  # scales left out


def weight_bytes(config: ModelConfig, precision: Precision) -> int:
    """Of all weights; below float16 only matrices are rounded, and the embedding is none that is multiplied."""
    rest = BYTES["fp16" if precision == "fp16" else "fp32"]
    shapes = expected_shapes(config)
    rounded = sum(math.prod(shape) for name, shape in shapes.items() if len(shape) > 1 and "embedding" not in name)
    return int(rounded * BYTES[precision] + (sum(map(math.prod, shapes.values())) - rounded) * rest)


def of_call(config: ModelConfig, *, batch: int, time: int) -> Demand:
    """Count B·T steps of every layer, and the projection of each where there is a vocabulary.

    What multiplies states is needed anew in each of T steps; what multiplies inputs serves all of them in one product.
    Rows of a batch share every read. A tied projection reads the embedding; looking a token up counts nothing.
    Attention compares each step with itself and those before, and adds as many up: T (T + 1) / 2 pairs, twice.
    """
    shapes = expected_shapes(config)
    if config.tie_weights:
        shapes["decoder.weight"] = shapes["embedding.weight"]
    sizes = {name: math.prod(shape) for name, shape in shapes.items() if ".weight" in name}
    sizes.pop("embedding.weight", None)
    recurrent = sum(size for name, size in sizes.items() if "weight_hh" in name or "weight_ch" in name)
    whole = sum(sizes.values())
    pairs = batch * time * (time + 1) * config.hidden_size if config.attention else 0
    return Demand(2 * (batch * time * whole + pairs), whole, time * recurrent + whole - recurrent)
