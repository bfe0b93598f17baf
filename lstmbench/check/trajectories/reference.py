"""The float64 reference over a long run, kept at the marks alone; and whether the model forgets where it came from."""

import math
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from lstmbench.arrays import Floats, Tokens, Weights
from lstmbench.model import reference, stimulus
from lstmbench.records import ModelConfig

Array: TypeAlias = NDArray[Any]
BATCH, SEED = 4, 50_000  # rows side by side; no seed that trains, times or checks
_APART = 1e-8  # of the twin, in every unit: far above float64's rounding, far below what bends the curve


class Mark(NamedTuple):
    """After so many steps: the head's output of the last one (B, V), h and c (D·L, B, H)."""

    step: int
    output: Array
    h: Array
    c: Array


class Course(NamedTuple):
    """A whole run."""

    marks: tuple[Mark, ...]
    lyapunov: float  # e-foldings a step


def inputs(config: ModelConfig, calls: Sequence[int]) -> Iterator[Tokens | Floats]:
    """What each call is given, (BATCH, T) or (BATCH, T, E): drawn as it comes, the same however it is cut."""
    whole, start = _blocks(config), 0
    block = next(whole)
    for steps in calls:
        while block.shape[1] - start < steps:
            block, start = np.concatenate([block[:, start:], next(whole)], axis=1), 0
        yield block[:, start : start + steps]
        start += steps


def course(config: ModelConfig, weights: Weights, calls: Sequence[int], marks: Sequence[int]) -> Course:
    """Run from no state, beside a twin that begins next to it and is brought back near after each call."""
    rng, done, grown = np.random.default_rng(SEED), 0, 0.0
    h, c = (np.zeros(config.state_shape(BATCH)) for _ in "hc")
    apart: list[Array] = [_APART * rng.standard_normal(h.shape) for _ in "hc"]
    kept = []
    for given, steps in zip(inputs(config, calls), calls, strict=True):
        before = _size(apart)
        _, moved = reference.run(config, weights, given, (h + apart[0], c + apart[1]))
        output, (h, c) = reference.run(config, weights, given, (h, c))
        apart = [moved[0] - h, moved[1] - c]
        grown += math.log(max(_size(apart), 1e-300) / before)
        apart = [off * (_APART * math.sqrt(2 * off.size) / max(_size(apart), 1e-300)) for off in apart]
        done += steps
        if done in marks:
            kept.append(Mark(done, output[:, -1], h, c))
    return Course(tuple(kept), grown / done)


def _blocks(config: ModelConfig) -> Iterator[Tokens | Floats]:
    n = 0
    while True:
        yield stimulus.inputs(config, batch=BATCH, time=256, seed=SEED + n)
        n += 1


def _size(apart: Sequence[Array]) -> float:
    return math.sqrt(sum(float(np.square(off).sum()) for off in apart)) or 1e-300
