"""How far the roundings of a run spread into its outputs: to first order, each rounding by itself, as a random walk.

In few rows the largest error of a few runs in float32 can be small by luck, and where sums are large it is: gates that
are saturated show none of what their sums are off by, so that all error stands in the few units that are not. What the
roundings must be expected to do is computed instead. With u one rounding and v the variance of a number's error,

    z = W x + U h + P c + b    v_z  = u² (W² x² + U² h² + P² c² + b² + z²) + W² v_x + U² v_h + P² v_c
    s = σ(z) or tanh(z)        v_s  = s'² v_z + u²
    c' = f ⊙ c + i ⊙ g         v_c' = f² v_c + c² v_f + i² v_g + g² v_i + u² ((f c)² + (i g)² + c'²)
    h' = o ⊙ tanh(c')          v_h' = tanh² v_o + (o tanh')² v_c' + u²

squares by element, one term for each product and each sum of a rounding error analysis (Higham 2002, Accuracy and
Stability of Numerical Algorithms, section 3.1). A sum of n terms is off by at most n - 1 roundings of its partial sums,
by some of √n in practice: √v is the scale of what engines do, not their limit, and a bound allows K of it.
"""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from lstmbench.arrays import Weights
from lstmbench.model import reference
from lstmbench.model.reference import Layer
from lstmbench.model.weights import COMBINE
from lstmbench.records import ModelConfig

Array = NDArray[Any]


class Near(NamedTuple):
    """Numbers, and the variance of what they are off by, in units of u²."""

    value: Array
    variance: Array

    def at(self, step: int) -> "Near":
        """Those of one step, (B, T, ·) -> (B, ·)."""
        return Near(self.value[:, step], self.variance[:, step])


def spread(
    config: ModelConfig, weights: Weights, inputs: Array, state: tuple[Array, Array]
) -> tuple[Array, Array, Array]:
    """√v of the output (B, T, ·), h_n and c_n (D·L, B, H), in units of u, from h, c over tokens (B, T) or x (B, T, E).

    Of attention the shares are taken as they are: what they are off by stays with the runs.
    """
    x = _exact(weights["embedding.weight"][inputs] if config.head == "lm" else inputs)
    ends, D = [], config.directions
    for k in range(config.num_layers):
        ways = []
        for d in range(D):
            layer, row = reference.layer_of(config, weights, k, d, np.float64), k * D + d
            y, end = _direction(layer, x, _exact(state[0][row]), _exact(state[1][row]), reverse=bool(d))
            ways.append(y)
            ends.append(end)
        x = Near(*(np.concatenate(parts, axis=-1) for parts in zip(*ways, strict=True)))
    output = _read_out(config, weights, x) if config.head == "lm" else x
    h, c = (np.sqrt(np.stack([end[which].variance for end in ends])) for which in (0, 1))
    return np.sqrt(output.variance), h, c


def _exact(numbers: Array) -> Near:
    value = numbers.astype(np.float64)
    return Near(value, np.zeros_like(value))


def _direction(layer: Layer, x: Near, h: Near, c: Near, *, reverse: bool) -> tuple[Near, tuple[Near, Near]]:
    steps: list[Near] = []
    time = x.value.shape[1]
    for t in reversed(range(time)) if reverse else range(time):
        h, c = _step(layer, x.at(t), h, c)
        steps.append(h)
    taken = steps[::-1] if reverse else steps
    return Near(*(np.stack(parts, axis=1) for parts in zip(*taken, strict=True))), (h, c)


def _step(layer: Layer, x: Near, h: Near, c: Near) -> tuple[Near, Near]:
    P = layer.P
    full = [_product(P, c)] if P is not None and P.ndim == 2 else []
    z = _sum(_product(layer.W, x), _product(layer.U, h), *full, _bias(layer.b))
    i, f, g, o = (Near(*parts) for parts in zip(*(np.split(part, 4, axis=-1) for part in z), strict=True))
    if P is not None and P.ndim == 1:
        p_i, p_f, p_o = (_exact(part) for part in np.split(P, 3))
        i, f = _sum(i, _times(p_i, c)), _sum(f, _times(p_f, c))
    c_next = _sum(_times(_sigmoid(f), c), _times(_sigmoid(i), _tanh(g)))
    if P is not None and P.ndim == 1:
        o = _sum(o, _times(p_o, c_next))
    return _times(_sigmoid(o), _tanh(c_next)), c_next


def _read_out(config: ModelConfig, weights: Weights, y: Near) -> Near:
    if config.attention:
        read = Near(y.value, np.maximum.accumulate(y.variance, axis=1))
        both = Near(*(np.concatenate(parts, axis=-1) for parts in zip(read, y, strict=True)))
        y = _tanh(_product(weights[COMBINE].astype(np.float64), both))
    name = "embedding.weight" if config.tie_weights else "decoder.weight"
    projected = _product(weights[name].astype(np.float64), y)
    return _sum(projected, _bias(weights["decoder.bias"].astype(np.float64)))


def _product(W: Array, x: Near) -> Near:
    squares = (W * W).T
    return Near(x.value @ W.T, (x.value**2 + x.variance) @ squares)


def _bias(b: Array) -> Near:
    return Near(b, b * b)


def _sum(*parts: Near) -> Near:
    value = np.sum(np.broadcast_arrays(*(part.value for part in parts)), axis=0)
    return Near(value, sum(part.variance for part in parts) + value**2)


def _times(a: Near, b: Near) -> Near:
    value = a.value * b.value
    return Near(value, a.value**2 * b.variance + b.value**2 * a.variance + value**2)


def _sigmoid(z: Near) -> Near:
    s = reference.sigmoid(z.value)
    return Near(s, (s * (1 - s)) ** 2 * z.variance + 1)


def _tanh(z: Near) -> Near:
    s = np.tanh(z.value)
    return Near(s, (1 - s * s) ** 2 * z.variance + 1)
