"""The reference of sampling: a draw from logits by inverse CDF, how near it came to falling otherwise, a decode.

The `top_k` most likely tokens (0: all) are laid side by side by falling probability softmax(logits / temperature), ties
by id; the token is the one in whose interval the uniform number lies. Temperature 0 takes the most likely token.

Two computations of one draw differ by rounding. Logits off by ε each move a value F of the distribution function by at
most F (1 - F) (e^{2ε/τ} - 1), F (1 - F) <= 1/4, at temperature τ, also where tokens change places, since sorted logits
are off by no more than ε either; and two tokens change places only within 2ε. Adding up k probabilities in float32
moves F by k - 1 roundings at most (Higham 2002, 4.2), their exponentials and quotients by a few more.
"""

from collections.abc import Callable
from typing import Any, NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from lstmbench.arrays import Floats, Tokens

Array: TypeAlias = NDArray[Any]
Run: TypeAlias = Callable[[Tokens, Any], tuple[Array, Any]]  # tokens (B, T), state -> logits (B, T, V), state

_U = 2.0**-24  # one rounding
_OTHER_ROUNDINGS = 8


class Draw(NamedTuple):
    """A token, and whether logits that differ by the tolerance could have given another."""

    token: int
    fragile: bool


def take(logits: Floats, uniform: float, *, temperature: float, top_k: int) -> int:
    """The token of logits (V,) at `uniform` in [0, 1)."""
    order = _order(logits)
    return int(order[_place(_edges(logits[order], temperature, top_k), uniform)])


def near_end(logits: Floats, token: int, *, temperature: float) -> float:
    """Where logits (V,) still give this token, of all V, by twice what rounding may move the end of its interval.

    So a logit that is off by little draws a neighbour there. In the middle of an interval that is narrower.
    """
    order = _order(logits)
    edges = _edges(logits[order], temperature, 0)
    (place,) = np.flatnonzero(order == token)
    width = edges[place] - (edges[place - 1] if place else 0.0)
    return float(edges[place] - min(2 * _reach(edges, temperature, 0.0), width / 2))


def draw(logits: Floats, uniform: float, *, temperature: float, top_k: int, tolerance: float) -> Draw:
    """The token of logits (V,) at `uniform` in [0, 1); `tolerance` is what each logit may be off by."""
    order = _order(logits)
    falling = logits[order]
    edges = _edges(falling, temperature, top_k)
    place = _place(edges, uniform)
    return Draw(int(order[place]), _fragile(falling, edges, place, uniform, (temperature, tolerance)))


def misfit(logits: Array, token: int, uniform: float, *, temperature: float, top_k: int) -> float:
    """What each of the logits (V,) must be off by, at the least, for `token` to be drawn; 0 within rounding."""
    falling = logits[_order(logits)]
    if temperature == 0:
        return float(falling[0] - logits[token]) / 2
    edges = _edges(falling, temperature, top_k)
    near, far = 0.0, float(falling[0] - falling[-1]) / 2  # off by so much, they may stand in any order
    if _possible(falling, edges, (logits[token], uniform), (temperature, near)):
        return near
    for _ in range(50):
        middle = (near + far) / 2
        possible = _possible(falling, edges, (logits[token], uniform), (temperature, middle))
        near, far = (near, middle) if possible else (middle, far)
    return far


def decode(
    run: Run,
    prompt: Tokens,
    state: Any,
    uniform: Floats,
    *,
    temperature: float,
    top_k: int,
) -> tuple[Tokens, Any]:
    """Read prompt (B, T), then draw at uniform (B, N) -> tokens (B, N), and the state before the last of them.

    To go on, the last token is the next prompt.
    """
    tokens, fed = np.zeros(uniform.shape, np.int64), prompt
    for n, column in enumerate(uniform.T):
        logits, state = run(fed, state)
        for row, number in enumerate(column):
            tokens[row, n] = take(logits[row, -1], float(number), temperature=temperature, top_k=top_k)
        fed = tokens[:, n : n + 1]
    return tokens, state


def _order(logits: Array) -> NDArray[np.intp]:
    return np.argsort(-logits, kind="stable")


def _edges(falling: Array, temperature: float, top_k: int) -> Array:
    """The upper edges of the intervals (k,), the last one 1 up to rounding; of the first alone at temperature 0."""
    kept = falling[: 1 if temperature == 0 else top_k or None].astype(np.float64) / (temperature or 1.0)
    p = np.exp(kept - kept[0])
    edges: Array = np.cumsum(p) / p.sum()
    return edges


def _place(edges: Array, uniform: float) -> int:
    return min(int(np.searchsorted(edges, uniform, side="right")), len(edges) - 1)


def _reach(edges: Array, temperature: float, tolerance: float) -> float:
    """How far an edge may move."""
    return float(0.25 * np.expm1(min(2 * tolerance / temperature, 700.0)) + (len(edges) + _OTHER_ROUNDINGS) * _U)


def _fragile(falling: Array, edges: Array, place: int, uniform: float, scale: tuple[float, float]) -> bool:
    """Whether an edge or an exchange of neighbours within reach of the tolerance could change the draw."""
    temperature, tolerance = scale
    near = falling[:-1] - falling[1:] <= 2 * tolerance  # (V - 1,): neighbours that may change places
    if temperature == 0:
        return bool(near[:1].any())
    swapped = near[max(0, place - 1) : place + 1].any() or (len(edges) < len(falling) and near[len(edges) - 1])
    inner = edges[:-1]  # the last edge is 1 for every distribution
    return bool(swapped or (np.abs(inner - uniform) <= _reach(edges, *scale)).any())


def _possible(falling: Array, edges: Array, wanted: tuple[float, float], scale: tuple[float, float]) -> bool:
    """Whether a token of this logit can be drawn at this uniform number, with each logit off by the tolerance."""
    (logit, uniform), (temperature, tolerance) = wanted, scale
    first = int((falling > logit + 2 * tolerance).sum())  # the places that it may take
    last = int((falling >= logit - 2 * tolerance).sum()) - 1
    if first >= len(edges):
        return False
    reach = _reach(edges, temperature, tolerance)
    lower = edges[first - 1] - reach if first else 0.0
    return bool(lower <= uniform and (last >= len(edges) - 1 or uniform <= edges[last] + reach))
