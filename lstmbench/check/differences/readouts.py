"""What engines and converters do to logits that are right: limits, temperatures, softmax; each with its own words."""

from collections.abc import Iterator

import numpy as np

from lstmbench.check.differences.isolated import Array

_LEAST = 2  # logits that are off: one number explains one of them whatever is wrong
_ROUNDS = 60  # halvings


def known(got: Array, want: Array, allowed: float) -> str:
    """In words the one function of the right logits (R, V) that gives all that came out; empty if none does."""
    if np.count_nonzero(np.abs(got - want) > allowed) < _LEAST:
        return ""
    for words, made in _functions(got, want):
        if (np.abs(made - got) <= 2 * allowed).all():  # once of the logits, once of the number found in one of them
            return words
    return ""


def _functions(got: Array, want: Array) -> Iterator[tuple[str, Array]]:
    worst = np.unravel_index(int(np.abs(got - want).argmax()), got.shape)
    g, w = float(got[worst]), float(want[worst])
    yield f"the logits are held at {g:.7g} from above", np.minimum(want, g)
    yield f"the logits are held at {g:.7g} from below", np.maximum(want, g)
    yield f"the logits are clipped to ±{abs(g):.7g}", want.clip(-abs(g), abs(g))
    if w and g:
        yield f"the logits are multiplied by {g / w:.4g}", want * (g / w)
    if w and 0 < g / w < 1:
        C = _soft_limit(g, w)
        yield f"the logits are C·tanh(logits / C) with C = {C:.4g}", C * np.tanh(want / C)
    largest = want.max(axis=1, keepdims=True)
    total = np.exp(want - largest).sum(axis=1, keepdims=True)
    yield "the logits are their own log-softmax", want - largest - np.log(total)
    yield "the logits are their own softmax", np.exp(want - largest) / total
    yield "each row of logits is off by one number of its own", want + (got - want).mean(axis=1, keepdims=True)


def _soft_limit(g: float, w: float) -> float:
    """C with C·tanh(w / C) = g, which grows with C."""
    low, high = abs(g), abs(g) * 1e4
    for _ in range(_ROUNDS):
        middle = np.sqrt(low * high)
        low, high = (middle, high) if middle * np.tanh(abs(w) / middle) < abs(g) else (low, middle)
    return float(high)
