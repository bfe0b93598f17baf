"""Names and shapes of the tensors in `weights.safetensors`: nn.LSTM's names, plus `weight_ch`."""

import hashlib
import math
from bisect import bisect_left
from collections.abc import Iterator

import msgspec
import numpy as np

from lstmbench.arrays import Weights
from lstmbench.records import ModelConfig

SCORE, COMBINE = "attention.score.weight", "attention.combine.weight"  # A (H, H), C (H, 2H): `attention`


def expected_shapes(config: ModelConfig) -> dict[str, tuple[int, ...]]:
    """Every tensor that a model of this configuration has, in a fixed order, with its shape."""
    shapes = dict(_recurrent_shapes(config))
    if config.head == "lm":
        V, E, H = config.vocabulary_size, config.input_size, config.hidden_size
        shapes["embedding.weight"] = (V, E)
        if not config.tie_weights:
            shapes["decoder.weight"] = (V, H)
        shapes["decoder.bias"] = (V,)
        if config.attention:
            shapes |= {SCORE: (H, H), COMBINE: (H, 2 * H)}
    return shapes


def parameter_count(config: ModelConfig) -> int:
    """How many numbers the model learns."""
    return sum(math.prod(shape) for shape in expected_shapes(config).values())


def parameter_bytes(config: ModelConfig) -> int:
    """What they take in float32."""
    return 4 * parameter_count(config)


def most_file_bytes(config: ModelConfig) -> int:
    """What a file of an export takes at most: one protobuf message, or each weight beside it several times over."""
    return 2**31 + 4 * parameter_bytes(config)


def of_equal_size(config: ModelConfig, *, parameters: int) -> ModelConfig:
    """The same model with the hidden size that brings its parameter count closest to `parameters`."""

    def sized(hidden_size: int) -> ModelConfig:
        return msgspec.structs.replace(config, hidden_size=hidden_size)

    above = bisect_left(range(2, 2**16), parameters, key=lambda H: parameter_count(sized(H))) + 2
    return min(sized(above - 1), sized(above), key=lambda near: abs(parameter_count(near) - parameters))


def digest(weights: Weights) -> str:
    """SHA-256 over names, shapes and values, in the order of the names."""
    sha = hashlib.sha256()
    for name in sorted(weights):
        sha.update(f"{name}{weights[name].shape}".encode())
        sha.update(np.ascontiguousarray(weights[name]).tobytes())
    return sha.hexdigest()


def random_weights(config: ModelConfig, *, seed: int, gain: float = 1.0) -> Weights:
    """Asymmetric weights that excite every gate: normal, scaled by gain / sqrt(columns); peepholes and biases too."""
    rng = np.random.default_rng(seed)

    def draw(shape: tuple[int, ...]) -> np.ndarray:
        scale = gain / np.sqrt(shape[-1]) if len(shape) == 2 else 0.5 * gain
        return (scale * rng.standard_normal(shape)).astype(np.float32)

    return {name: draw(shape) for name, shape in expected_shapes(config).items()}


def _recurrent_shapes(config: ModelConfig) -> Iterator[tuple[str, tuple[int, ...]]]:
    H = config.hidden_size
    for k in range(config.num_layers):
        E = config.input_size if k == 0 else config.directions * H
        for suffix in ("", "_reverse")[: config.directions]:
            yield f"lstm.weight_ih_l{k}{suffix}", (4 * H, E)
            yield f"lstm.weight_hh_l{k}{suffix}", (4 * H, H)
            if config.bias:
                yield f"lstm.bias_ih_l{k}{suffix}", (4 * H,)
                yield f"lstm.bias_hh_l{k}{suffix}", (4 * H,)
            if config.peephole != "none":
                shape = (4 * H, H) if config.peephole == "full" else (3 * H,)
                yield f"lstm.weight_ch_l{k}{suffix}", shape
