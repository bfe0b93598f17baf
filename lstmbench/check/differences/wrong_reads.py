"""Known mistakes of attention over past states, each as the logits that it gives; a single step shows none of them."""

from collections.abc import Callable, Iterator, Mapping
from typing import TypeAlias

import numpy as np

from lstmbench.arrays import Weights
from lstmbench.check.differences.isolated import Array
from lstmbench.model import reference
from lstmbench.model.attention import softmax
from lstmbench.model.weights import COMBINE, SCORE
from lstmbench.records import ModelConfig

Shares: TypeAlias = Callable[[Array], Array]  # scores (B, T, T) of every step with every step -> shares, the same


def wrong_reads(config: ModelConfig, weights: Weights, h: Array, lengths: Array | None) -> Iterator[tuple[str, Array]]:
    """What is said of each, and logits (B, T, V) from the last layer's h (B, T, H), float64."""
    A, C = (weights[name].astype(h.dtype) for name in (SCORE, COMBINE))
    scores = h @ (h @ A.T).swapaxes(1, 2)
    alive = True if lengths is None else (np.arange(h.shape[1]) < lengths[:, None])[..., None]
    for words, shares in _mistakes(h.shape[1], h.shape[2] ** -0.5).items():
        read = np.tanh(np.concatenate([shares(scores) @ h, h], axis=-1) @ C.T)
        yield f"attention {words}", reference.project(config, weights, np.where(alive, read, 0))


def _mistakes(T: int, scale: float) -> Mapping[str, Shares]:
    past, near = np.tri(T, dtype=bool), np.eye(T, dtype=bool)

    def over(seen: Array, scale: float = scale, axis: int = -1) -> Shares:
        def shares(scores: Array) -> Array:
            turned = np.where(seen, scores * scale, -np.inf).swapaxes(axis, -1)
            return softmax(turned).swapaxes(axis, -1)

        return shares

    return {
        "reads later steps too: it has no causal mask": over(np.ones_like(past)),
        "reads one step too far: its mask is a step late": over(np.tri(T, k=1, dtype=bool)),
        "reads no step itself: its mask is a step early": over((past & ~near) | (near & (np.arange(T) == 0))),
        "has scores that are not scaled by 1/√H": over(past, 1.0),
        "has its softmax over the wrong axis": over(past, axis=1),
    }
