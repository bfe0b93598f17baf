"""The same model with its hidden units and input features in another order: one function, other orders of summation."""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from lstmbench.arrays import Weights
from lstmbench.model import reference
from lstmbench.model.arithmetic import EXACT, Arithmetic
from lstmbench.model.weights import COMBINE, SCORE
from lstmbench.records import ModelConfig

Order = NDArray[np.intp]
Array = NDArray[Any]
Outputs = tuple[Array, Array, Array]


class Orders(NamedTuple):
    """Where each feature and each unit of the reordered model stands in the model."""

    features: Order  # (E,)
    units: list[Order]  # D·L of (H,)
    past: int | None = None  # the seed of the order in which past states are summed; None: as they come


def unchanged(config: ModelConfig) -> Orders:
    """The model's own order."""
    units = [np.arange(config.hidden_size)] * (config.num_layers * config.directions)
    return Orders(np.arange(config.input_size), units)


def draw(config: ModelConfig, rng: np.random.Generator) -> Orders:
    """Draw an order for the features and one for each direction of each layer; tied weights tie two of them."""
    units = [rng.permutation(config.hidden_size) for _ in range(config.num_layers * config.directions)]
    features = units[-1] if config.tie_weights else rng.permutation(config.input_size)
    return Orders(features, units, int(rng.integers(2**31)) if config.attention else None)


def run_float32(  # noqa: PLR0913 (what to run, in which order, and how to compute)
    config: ModelConfig,
    weights: Weights,
    inputs: Array,
    state: tuple[Array, Array],
    orders: Orders,
    *,
    lengths: Array | None = None,
    arithmetic: Arithmetic = EXACT,
) -> Outputs:
    """Run the reordered model in float32 -> output, h, c in the model's own order."""
    h, c = (_take_rows(array, orders.units) for array in state)
    inputs = inputs if config.head == "lm" else inputs[..., orders.features]
    reordered = reorder(config, weights, orders)
    past = None if orders.past is None else np.random.default_rng(orders.past).permutation(inputs.shape[1])
    output, (h, c) = reference.run(
        config, reordered, inputs, (h, c), lengths=lengths, dtype=np.float32, arithmetic=arithmetic, past=past
    )
    if config.head == "layer":
        output = _put_back(output, _columns(config, orders, config.num_layers))
    return output, _put_rows_back(h, orders.units), _put_rows_back(c, orders.units)


def reorder(config: ModelConfig, weights: Weights, orders: Orders) -> Weights:
    """The tensors of the reordered model."""
    reordered = dict(weights)
    for k in range(config.num_layers):
        for d, suffix in enumerate(("", "_reverse")[: config.directions]):
            units, columns = orders.units[k * config.directions + d], _columns(config, orders, k)
            for kind in ("weight_ih", "weight_hh", "weight_ch", "bias_ih", "bias_hh"):
                if (name := f"lstm.{kind}_l{k}{suffix}") in weights:
                    reordered[name] = _gate_rows(weights[name], units, columns if kind == "weight_ih" else units)
    if config.head == "lm":
        reordered["embedding.weight"] = weights["embedding.weight"][:, orders.features]
    if "decoder.weight" in weights:
        reordered["decoder.weight"] = weights["decoder.weight"][:, orders.units[-1]]
    if config.attention:
        last, H = orders.units[-1], config.hidden_size
        reordered[SCORE] = weights[SCORE][last][:, last]
        reordered[COMBINE] = weights[COMBINE][last][:, np.concatenate([last, H + last])]
    return reordered


def _gate_rows(tensor: Array, units: Order, columns: Order) -> Array:
    """Blocks of H rows, one a gate: (G·H,) or (G·H, …), each in the units' order; columns in theirs."""
    H = len(units)
    rows = np.concatenate([first + units for first in range(0, len(tensor), H)])
    taken: Array = tensor[rows] if tensor.ndim == 1 else tensor[rows][:, columns]
    return taken


def _columns(config: ModelConfig, orders: Orders, k: int) -> Order:
    """The order of the input of layer k: features, or the units of both directions of the layer below."""
    if k == 0:
        return orders.features
    D, H = config.directions, config.hidden_size
    return np.concatenate([d * H + orders.units[(k - 1) * D + d] for d in range(D)])


def _take_rows(state: Array, units: list[Order]) -> Array:
    return np.stack([row[:, order] for row, order in zip(state, units, strict=True)])


def _put_rows_back(state: Array, units: list[Order]) -> Array:
    return np.stack([_put_back(row, order) for row, order in zip(state, units, strict=True)])


def _put_back(array: Array, order: Order) -> Array:
    return array[..., np.argsort(order)]
