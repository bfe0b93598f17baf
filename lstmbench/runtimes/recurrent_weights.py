"""The checkpoint's recurrent weights as frameworks multiply: inputs from the left, one product a step."""

from typing import NamedTuple

import numpy as np

from lstmbench.arrays import Floats, Weights
from lstmbench.records import ModelConfig


class Layer(NamedTuple):
    """One layer in one direction; gates in the order i, f, g, o."""

    W: Floats  # (E, 4H)
    U: Floats  # (H, 4H); of `full` (2H, 4H), for h and c side by side
    b: Floats  # (4H,), both biases
    p: Floats | None  # (3, H) of `diagonal`, in the order i, f, o


def layers(config: ModelConfig, weights: Weights) -> list[Layer]:
    """All of them, D·L, in the order of the rows of the state."""
    return [_layer(config, weights, f"_l{row // config.directions}", row % config.directions) for row in _rows(config)]


def without_peepholes(weights: Weights) -> Weights | None:
    """The same with every peephole zero; None where none has one that is not."""
    seen = {name: np.zeros_like(array) for name, array in weights.items() if ".weight_ch" in name and array.any()}
    return weights | seen if seen else None


def _rows(config: ModelConfig) -> range:
    return range(config.num_layers * config.directions)


def _layer(config: ModelConfig, weights: Weights, suffix: str, direction: int) -> Layer:
    suffix += "_reverse" if direction else ""
    named = {kind: weights.get(f"lstm.{kind}{suffix}") for kind in ("weight_ch", "bias_ih", "bias_hh")}
    W, U = (weights[f"lstm.{kind}{suffix}"] for kind in ("weight_ih", "weight_hh"))
    P, b = named["weight_ch"], np.zeros(4 * config.hidden_size, np.float32)
    if named["bias_ih"] is not None and named["bias_hh"] is not None:
        b = named["bias_ih"] + named["bias_hh"]
    if P is not None and P.ndim == 2:
        U = np.concatenate([U, P], axis=1)
    p = P.reshape(3, -1) if P is not None and P.ndim == 1 else None
    return Layer(np.ascontiguousarray(W.T), np.ascontiguousarray(U.T), b, p)
