"""Whether a wrong answer is the right one of coarser numbers: an engine that rounds the operands of its products.

A GPU multiplies float32 in TF32 where it is allowed to, some CPUs in bfloat16; the sums stay float32. Both are far
outside a bound that is derived for float32, and the error alone does not tell them from a mistake. So the reference is
run in each of these ways, and the one is named whose answer is NEARER times as near to what came as the right answer
is, and as what any other of them gives. Half precision and TF32 keep the same bits of an operand; no product tells them
apart. Where nothing is as near as that, nothing is said.
"""

import itertools
from collections.abc import Callable, Container, Iterator, Sequence
from functools import partial
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from lstmbench.arrays import Weights
from lstmbench.model import arithmetic, reference
from lstmbench.model.arithmetic import EXACT, Arithmetic
from lstmbench.model.rounding import bfloat16, half, products, rounded, shortened, untied
from lstmbench.parity.bound import Expected
from lstmbench.records import ModelConfig

Array = NDArray[Any]
Round = Callable[[Array], Array]
NEARER = 4.0
_OPERANDS = {"TF32 or half precision": 10, "bfloat16": 7}  # bits of mantissa
_STORED: dict[str, Round] = {"half precision": half, "bfloat16": bfloat16}


class _Way(NamedTuple):
    """One way to compute less exactly."""

    words: str
    config: ModelConfig
    weights: Weights
    arithmetic: Arithmetic


def coarser(
    config: ModelConfig,
    weights: Weights,
    question: tuple[Array, tuple[Array, Array] | None, Array | None],
    expected: Sequence[Expected],
    got: Sequence[Array],
) -> str:
    """What the answer to inputs, state and lengths looks like that is off: 'its products look rounded to bfloat16'.

    Empty where that cannot be told: also of a run that is judged in part, since a chaotic one has no other near it.
    """
    if any(one.judged is not None for one in expected) or not all(np.isfinite(array).all() for array in got):
        return ""
    inputs, state, lengths = question
    distances = {"": _distance(expected, got, [one.want for one in expected])}
    for way in _ways(config, weights):
        with np.errstate(over="ignore", invalid="ignore"):  # half precision holds less: then it is far away
            run = partial(reference.run, way.config, way.weights, inputs, state, lengths=lengths)
            output, after = run(arithmetic=way.arithmetic)
            found = _distance(expected, got, [output[..., expected[0].columns], *after])
        distances[way.words] = min(found, distances.get(way.words, np.inf))
    (words, nearest), (_, second) = sorted(distances.items(), key=lambda item: item[1])[:2]
    return words if nearest * NEARER <= second else ""


def _ways(config: ModelConfig, weights: Weights) -> Iterator[_Way]:
    for name, stored in _STORED.items():
        yield _Way(f"its weights look rounded to {name}", config, _rounded(weights, weights, stored), EXACT)
    yield _Way("it looks computed in half precision", *rounded(config, weights, "fp16"), arithmetic.of("fp16", ()))
    config, weights = untied(config, weights)
    operands = {name for names in products(config, weights) for name in names}
    for (name, bits), cut in itertools.product(_OPERANDS.items(), (False, True)):
        one = partial(shortened, bits=bits, cut=cut)
        own = EXACT._replace(inputs=one)
        yield _Way(f"its products look rounded to {name}", config, _rounded(weights, operands, one), own)


def _rounded(weights: Weights, names: Container[str], one: Round) -> Weights:
    return {name: one(tensor) if name in names else tensor for name, tensor in weights.items()}


def _distance(expected: Sequence[Expected], got: Sequence[Array], other: Sequence[Array]) -> float:
    """The largest over all outputs, in their bounds; infinite where it is no number."""
    parts = zip(expected, got, other, strict=True)
    largest = np.max([np.abs(g[..., one.columns] - o).max() / one.bound for one, g, o in parts])
    return float(largest) if np.isfinite(largest) else np.inf
