"""Seeded random inputs and states: what a runtime is checked with, and timed on."""

import numpy as np

from lstmbench.arrays import Floats, Lengths, State, Tokens
from lstmbench.records import ModelConfig


def inputs(config: ModelConfig, *, batch: int, time: int, seed: int) -> Tokens | Floats:
    """Head `lm`: tokens (B, T) int64 over the whole vocabulary; head `layer`: x (B, T, E) float32, normal."""
    if config.head == "lm":
        return tokens(config, batch=batch, time=time, seed=seed)
    rng = np.random.default_rng((seed, batch, time))
    return rng.standard_normal((batch, time, config.input_size), dtype=np.float32)


def tokens(config: ModelConfig, *, batch: int, time: int, seed: int) -> Tokens:
    """(B, T) int64 over the whole vocabulary."""
    return np.random.default_rng((seed, batch, time)).integers(0, config.vocabulary_size, (batch, time))


def uniform(*, batch: int, time: int, seed: int) -> Floats:
    """What `time` tokens of each row are drawn at: (B, N) float32 in [0, 1)."""
    return np.random.default_rng((seed, batch, time, 1)).random((batch, time), dtype=np.float32)


def state(config: ModelConfig, *, batch: int, seed: int) -> State:
    """H in -1..1, as o ⊙ tanh(c) is, and c normal, each (D·L, B, H) float32; no row like another, nowhere zero."""
    rng, shape = np.random.default_rng((seed, batch)), config.state_shape(batch)
    h = rng.uniform(-1, 1, shape).astype(np.float32)
    return State(h, rng.standard_normal(shape, dtype=np.float32))


def lengths(*, batch: int, time: int, seed: int) -> Lengths:
    """Of each row, 1 to T, (B,) int32: one is T, one is 1, the others are shorter than T; a row alone is too."""
    rng = np.random.default_rng((seed, batch, time))
    drawn = rng.integers(1, max(2, time), batch, dtype=np.int32)
    if batch > 1:
        drawn[rng.permutation(batch)[:2]] = (time, 1)
    return drawn
