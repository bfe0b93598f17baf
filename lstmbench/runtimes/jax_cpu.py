"""JAX on the CPU: the cells under lax.scan, the whole call one function that XLA compiles for each B and T."""

import os
from functools import partial
from typing import Any, NamedTuple, TypeAlias

import jax
import jax.numpy as jnp
import numpy as np
from numpy.typing import NDArray

from lstmbench.arrays import Floats, Lengths, State, Tokens, Weights
from lstmbench.records import ExportedModel, ModelConfig
from lstmbench.runtimes.held_call import HeldCall
from lstmbench.runtimes.recurrent_weights import Layer, layers
from lstmbench.runtimes.weights_engine import WeightsEngine

Array: TypeAlias = jax.Array
Carry: TypeAlias = tuple[Array, Array]  # h, c (B, H)


class _Weights(NamedTuple):
    layers: list[Layer]  # D·L
    head: dict[str, Any]  # embedding and decoder; empty for bare layers


class JaxCpu(WeightsEngine):
    """One compiled function of tokens, state and weights."""

    version: str = jax.__version__

    def __init__(self, exported: ExportedModel, *, threads: int) -> None:
        # read once, when XLA makes its pool of threads: JAX has no other word for how many
        os.environ["PJRT_NPROC"] = str(threads)
        jax.config.update("jax_platforms", "cpu")
        run = jax.jit(partial(_run, exported.model))
        super().__init__(exported, partial(_Model, exported.model, run))


class _Model:
    """The weights on the device, apart from the function: others of the same shapes compile nothing."""

    def __init__(self, config: ModelConfig, run: Any, weights: Weights) -> None:
        head = {name: array for name, array in weights.items() if not name.startswith("lstm.")}
        self._run = partial(run, jax.device_put(_Weights(layers(config, weights), head)))

    def __call__(self, inputs: Tokens | Floats, state: State, lengths: Lengths | None) -> tuple[Floats, State]:
        return _on_host(self._run(_narrow(inputs), *state, lengths))

    def hold(self, inputs: Tokens | Floats, state: State, lengths: Lengths | None) -> HeldCall[tuple[Array, ...]]:
        there = jax.block_until_ready(jax.device_put((_narrow(inputs), *state, lengths)))
        # a call returns before it is computed
        return HeldCall(lambda: jax.block_until_ready(self._run(*there)), told=_on_host)


def _narrow(inputs: Tokens | Floats) -> NDArray[Any]:
    """JAX has no int64 unless it is told to, and every id fits."""
    return inputs.astype(np.int32) if inputs.ndim == 2 else inputs


def _on_host(answer: tuple[Array, ...]) -> tuple[Floats, State]:
    output, h, c = map(np.asarray, answer)
    return output, State(h, c)


def _run(
    config: ModelConfig, weights: _Weights, inputs: Array, h: Array, c: Array, lengths: Array | None
) -> tuple[Array, Array, Array]:
    """Tokens (B, T) or x (B, T, E), h and c (D·L, B, H), lengths (B,) -> output, h, c."""
    head, directions = weights.head, config.directions
    x = head["embedding.weight"][inputs] if head else inputs
    x = jnp.swapaxes(x, 0, 1)  # (T, B, E)
    alive = None if lengths is None else jnp.arange(len(x))[:, None, None] < lengths[:, None]  # (T, B, 1)
    after = []
    for first in range(0, len(weights.layers), directions):
        outputs = []
        for row in range(first, first + directions):
            y, carry = _direction(weights.layers[row], x, (h[row], c[row]), alive, reverse=row > first)
            outputs.append(y)
            after.append(carry)
        x = jnp.concatenate(outputs, axis=-1)
    h_n, c_n = (jnp.stack(part) for part in zip(*after, strict=True))
    y = jnp.swapaxes(x, 0, 1)
    if head:
        y = y @ head["embedding.weight" if config.tie_weights else "decoder.weight"].T + head["decoder.bias"]
    return y, h_n, c_n


def _direction(layer: Layer, x: Array, carry: Carry, alive: Array | None, *, reverse: bool) -> tuple[Array, Carry]:
    """X (T, B, E) -> y (T, B, H) and h, c (B, H); what is dead keeps its state, so the reverse starts at its end."""

    def step(before: Carry, at: tuple[Array, Array | None]) -> tuple[Carry, Array]:
        z, lives = at
        h, c = _cell(layer, z, *before)
        if lives is None:
            return (h, c), h
        return (jnp.where(lives, h, before[0]), jnp.where(lives, c, before[1])), jnp.where(lives, h, 0)

    carry, y = jax.lax.scan(step, carry, (x @ layer.W + layer.b, alive), reverse=reverse)
    return y, carry


def _cell(layer: Layer, z: Array, h: Array, c: Array) -> Carry:
    """One step, in the letters of `model.reference`: z (B, 4H) is W x + b."""
    seen = h if len(layer.U) == h.shape[-1] else jnp.concatenate([h, c], axis=-1)
    z = z + seen @ layer.U
    i, f, g, o = jnp.split(z, 4, axis=-1)
    if layer.p is not None:
        i, f = i + layer.p[0] * c, f + layer.p[1] * c
    c_next = jax.nn.sigmoid(f) * c + jax.nn.sigmoid(i) * jnp.tanh(g)
    if layer.p is not None:
        o = o + layer.p[2] * c_next
    return jax.nn.sigmoid(o) * jnp.tanh(c_next), c_next
