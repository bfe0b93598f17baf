"""Logits to nats, and nats to a score: the same for what was trained, what was exported and what runs."""

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lstmbench.arrays import Floats
from lstmbench.records import Score

MOST_NATS = 700.0  # of which the exponential is a number


def log_likelihoods(logits: Floats) -> NDArray[np.float64]:
    """The logarithm of the softmax over the last axis, of any shape (…, V)."""
    shifted = logits.astype(np.float64) - logits.max(axis=-1, keepdims=True)
    likelihoods: NDArray[np.float64] = shifted - np.log(np.exp(shifted).sum(axis=-1, keepdims=True))
    return likelihoods


def of_targets(likelihoods: NDArray[np.float64], targets: NDArray[Any]) -> NDArray[np.float64]:
    """Log p of each target: (…, V), targets (…) -> (…)."""
    chosen: NDArray[np.float64] = np.take_along_axis(likelihoods, targets[..., None], axis=-1)[..., 0]
    return chosen


def score(total_nats: float, tokens: int, *, characters: float, lossless: bool) -> Score:
    """Make a Score of a sum over `tokens` predictions, which spell `characters` characters."""
    nats = total_nats / tokens
    bits = total_nats / math.log(2) / characters if lossless else None
    return Score(nats=nats, perplexity=math.exp(min(nats, MOST_NATS)), bits_per_character=bits, tokens=tokens)
