"""The NumPy reference: every cell, written from its equations, in float64 or float32.

It shares no code with the PyTorch module and is the oracle of every check. ⊙ is the product by element, σ the
logistic function; rows of W (4H, E), U (4H, H), P and of the biases are in the order of TORCH_GATES.

full      i,f,o = σ(W x + U h + P c + b), g = tanh(W x + U h + P c + b), P (4H, H), c the old cell state on all gates
diagonal  i,f = σ(W x + U h + p ⊙ c + b), g = tanh(W x + U h + b), o = σ(W x + U h + p ⊙ c' + b), p (3H,) in order
          i, f, o (Gers & Schmidhuber 2000; Graves 2013, eq. 7-11; ONNX LSTM, input P)
none      the same without P (torch.nn.LSTM)
all       c' = f ⊙ c + i ⊙ g, h' = o ⊙ tanh(c')
"""

from typing import Any, NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from lstmbench.arrays import Weights
from lstmbench.model.arithmetic import EXACT, Arithmetic
from lstmbench.model.attention import attend
from lstmbench.records import ModelConfig

Array: TypeAlias = NDArray[Any]
Trace: TypeAlias = list[tuple[Array, Array]]  # of each direction of each layer: h and c (B, T, H) before each step


class Layer(NamedTuple):
    """The weights of one layer in one direction, in the dtype of the computation."""

    W: Array  # (4H, E)
    U: Array  # (4H, H)
    b: Array  # (4H,)
    P: Array | None  # (4H, H) full, (3H,) diagonal


def run(  # noqa: PLR0913 (what to run, and how to compute)
    config: ModelConfig,
    weights: Weights,
    inputs: Array,
    state: tuple[Array, Array] | None = None,
    *,
    lengths: Array | None = None,
    dtype: type[np.floating] = np.float64,
    arithmetic: Arithmetic = EXACT,
    trace: Trace | None = None,
    past: Array | None = None,
) -> tuple[Array, tuple[Array, Array]]:
    """Compute the head's output and the next state; no state means zeros.

    Head `lm`: tokens (B, T) -> logits (B, T, V). Head `layer`: x (B, T, E) -> y (B, T, D·H). State: h and c,
    (D·L, B, H). Beyond its `lengths` (B,) a row keeps its state and its output is zero (ONNX LSTM, sequence_lens);
    the reverse direction starts at each row's own end. `arithmetic`: what becomes of numbers in a lower precision.
    `trace` takes the states on the way; `past` (T,) is the order in which attention sums past states.
    """
    x = weights["embedding.weight"].astype(dtype)[inputs] if config.head == "lm" else inputs.astype(dtype)
    y, after = run_layers(config, weights, x, state, lengths=lengths, arithmetic=arithmetic, trace=trace)
    if config.head == "lm":
        y = read_out(config, weights, y, lengths=lengths, arithmetic=arithmetic, past=past)
    return y, after


def read_out(
    config: ModelConfig,
    weights: Weights,
    y: Array,
    *,
    lengths: Array | None = None,
    arithmetic: Arithmetic = EXACT,
    past: Array | None = None,
) -> Array:
    """Y (B, T, H) of the last layer over a whole call -> logits (B, T, V); a row that has ended projects zeros."""
    if config.attention:
        y = attend(weights, y, arithmetic=arithmetic, past=past)
        if lengths is not None:
            y = np.where((np.arange(y.shape[1]) < lengths[:, None])[..., None], y, 0)
    logits: Array = arithmetic.stored(project(config, weights, arithmetic.inputs(y)))
    return logits


def run_layers(  # noqa: PLR0913 (what to run, and how to compute)
    config: ModelConfig,
    weights: Weights,
    x: Array,
    state: tuple[Array, Array] | None,
    *,
    lengths: Array | None,
    arithmetic: Arithmetic = EXACT,
    trace: Trace | None = None,
) -> tuple[Array, tuple[Array, Array]]:
    """X (B, T, E) -> y (B, T, D·H) of the last layer, and h, c (D·L, B, H); computed in x's dtype."""
    batch, time = x.shape[:2]
    lengths = np.full(batch, time) if lengths is None else lengths
    h, c = (np.zeros(config.state_shape(batch)),) * 2 if state is None else state
    h, c = arithmetic.stored(h.astype(x.dtype)), arithmetic.stored(c.astype(x.dtype))
    if arithmetic.together:
        x = np.where((np.arange(time) < lengths.max())[:, None], x, 0)
    for k in range(config.num_layers):
        outputs, x = [], arithmetic.inputs(x)
        for d in range(config.directions):
            row, layer = k * config.directions + d, layer_of(config, weights, k, d, x.dtype)
            y, h[row], c[row] = _direction(layer, x, h[row], c[row], lengths, d, arithmetic, trace)
            outputs.append(y)
        x = np.concatenate(outputs, axis=-1)
    return x, (h, c)


def project(config: ModelConfig, weights: Weights, y: Array) -> Array:
    """Y (B, T, H) -> logits (B, T, V); tied weights project with the embedding."""
    name = "embedding.weight" if config.tie_weights else "decoder.weight"
    logits: Array = y @ weights[name].astype(y.dtype).T + weights["decoder.bias"].astype(y.dtype)
    return logits


def cell(layer: Layer, x: Array, h: Array, c: Array, arithmetic: Arithmetic = EXACT) -> tuple[Array, Array]:
    """One step: x (B, E), h and c (B, H) -> h' and c' (B, H)."""
    if layer.P is not None and layer.P.ndim == 2:
        seen_h, seen_c = np.split(arithmetic.inputs(np.concatenate([h, c], axis=-1)), 2, axis=-1)
        z = x @ layer.W.T + seen_h @ layer.U.T + layer.b + seen_c @ layer.P.T  # (B, 4H)
    else:
        z = x @ layer.W.T + arithmetic.inputs(h) @ layer.U.T + layer.b
    i, f, g, o = np.split(arithmetic.stored(z), 4, axis=-1)
    if layer.P is not None and layer.P.ndim == 1:
        p_i, p_f, p_o = np.split(layer.P, 3)
        i, f = i + p_i * c, f + p_f * c
    c_next = arithmetic.stored(sigmoid(f) * c + sigmoid(i) * np.tanh(g))
    if layer.P is not None and layer.P.ndim == 1:
        o = o + p_o * c_next
    return arithmetic.stored(sigmoid(o) * np.tanh(c_next)), c_next


def sigmoid(z: Array) -> Array:
    """1 / (1 + exp(-z)), as ½ + ½ tanh(z/2), which cannot overflow."""
    half = z.dtype.type(0.5)
    logistic: Array = half + half * np.tanh(half * z)
    return logistic


def _direction(  # noqa: PLR0913, PLR0917 (a cell's operands, and how to walk)
    layer: Layer,
    x: Array,
    h: Array,
    c: Array,
    lengths: Array,
    reverse: int,
    arithmetic: Arithmetic,
    trace: Trace | None,
) -> tuple[Array, Array, Array]:
    batch, time = x.shape[:2]
    y, rows = np.zeros((batch, time, h.shape[-1]), x.dtype), np.arange(batch)
    if trace is not None:
        trace.append((np.zeros_like(y), np.zeros_like(y)))
    for t in _order(time, lengths, reverse, arithmetic):  # (B,)
        if trace is not None:
            trace[-1][0][rows, t], trace[-1][1][rows, t] = h, c
        alive = (t < lengths)[:, None]  # (B, 1)
        seen = np.where((t <= lengths)[:, None], h, 0) if arithmetic.together else h
        h_next, c_next = cell(layer, x[rows, t], seen, c, arithmetic)
        h, c = np.where(alive, h_next, h), np.where(alive, c_next, c)
        y[rows, t] = np.where(alive, h_next, 0)
    return y, h, c


def _order(time: int, lengths: Array, reverse: int, arithmetic: Arithmetic) -> Array:
    """Which step each row takes, one after the other: (T, B)."""
    t = np.arange(time)[:, None]
    if reverse and arithmetic.together:
        return np.where(t < lengths, lengths - 1 - t, t)
    return np.broadcast_to(t[::-1] if reverse else t, (time, len(lengths)))


def layer_of(config: ModelConfig, weights: Weights, k: int, direction: int, dtype: Any) -> Layer:
    """The weights of layer k, forwards or (1) in reverse."""

    def named(kind: str) -> Array:
        return weights[f"lstm.{kind}_l{k}{'_reverse' if direction else ''}"].astype(dtype)

    zero = np.zeros(4 * config.hidden_size, dtype)
    return Layer(
        W=named("weight_ih"),
        U=named("weight_hh"),
        b=named("bias_ih") + named("bias_hh") if config.bias else zero,
        P=None if config.peephole == "none" else named("weight_ch"),
    )
