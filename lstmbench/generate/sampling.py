"""One draw from logits: inverse CDF over the most likely tokens, and how near the draw came to falling otherwise."""

from typing import NamedTuple

import numpy as np

from lstmbench.arrays import Floats


class Draw(NamedTuple):
    """A token, and whether logits that differ by the tolerance could have given another."""

    token: int
    fragile: bool


def draw(logits: Floats, uniform: float, *, temperature: float, top_k: int, tolerance: float) -> Draw:
    """Take the token of logits (V,) at `uniform` in [0, 1); temperature 0 takes the most likely one.

    The `top_k` most likely tokens are laid side by side by falling probability softmax(logits / temperature), ties by
    id; the token is the one in whose interval `uniform` lies. `tolerance` is what each logit may be off by.
    """
    order = np.argsort(-logits, kind="stable")
    kept = order[:top_k]
    scaled = logits[kept].astype(np.float64) / (temperature or 1.0)
    p = np.exp(scaled - scaled[0])
    edges = np.cumsum(p) / p.sum()
    place = 0 if temperature == 0 else min(int(np.searchsorted(edges, uniform, side="right")), len(kept) - 1)
    return Draw(int(kept[place]), _fragile(logits[order], edges, place, uniform, (temperature, tolerance)))


def _fragile(falling: Floats, edges: np.ndarray, place: int, uniform: float, scale: tuple[float, float]) -> bool:
    """Whether an edge or an exchange of neighbours within reach of the tolerance could change the draw.

    Logits off by ε move a value F of the distribution function by at most F (1 - F) (e^{2ε/τ} - 1), F (1 - F) <= 1/4,
    at temperature τ; two tokens can change places, or one enter the top k, only within 2ε.
    """
    temperature, tolerance = scale
    near = falling[:-1] - falling[1:] <= 2 * tolerance  # (V - 1,): neighbours that may change places
    swapped = near[max(0, place - 1) : place + 1].any() or (len(edges) < len(falling) and near[len(edges) - 1])
    if temperature == 0:
        return bool(near[:1].any())
    reach = 0.25 * np.expm1(2 * tolerance / temperature)
    inner = edges[:-1]  # the last edge is 1 for every distribution
    return bool(swapped or (np.abs(inner - uniform) <= reach).any())
