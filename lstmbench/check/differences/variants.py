"""The mistakes that exporters and engines are known to make with a layer's weights, each as the layer that it makes.

Gates stand in the order of TORCH_GATES. A variant is tried on answers that are there already: it costs no probe.
"""

from collections.abc import Iterator
from itertools import permutations
from typing import NamedTuple

import numpy as np

from lstmbench.check.differences.isolated import Array
from lstmbench.model.gates import TORCH_GATES, TORCH_PEEPHOLES
from lstmbench.model.reference import Layer
from lstmbench.model.rounding import bfloat16, half

TERMS = {"W": "input weights", "U": "recurrent weights", "b": "bias", "P": "peephole"}


class Variant(NamedTuple):
    """A layer with one mistake."""

    words: str
    terms: tuple[str, ...]  # of TERMS
    gates: str  # that it concerns
    layer: Layer


def variants(layer: Layer, biases: Array) -> Iterator[Variant]:
    """Every known mistake, single ones first; all of them are wrong in most units. `biases` (2, 4H) add up to b."""
    terms = tuple(term for term in TERMS if getattr(layer, term) is not None)
    for term in terms:
        tensor = getattr(layer, term)
        yield from (_changed(layer, {term: array}, *rest) for array, *rest in _of_one(term, tensor))
    both = tuple(term for term in terms if term != "P")
    full = terms if layer.P is None or layer.P.ndim == 2 else both
    for order in _orders(TORCH_GATES):
        for some in dict.fromkeys((("W", "U"), both, full)):
            arrays = {term: _permuted(getattr(layer, term), TORCH_GATES, order) for term in some}
            yield _changed(layer, arrays, _in_order(TORCH_GATES, order), _moved(TORCH_GATES, order))
    for name, rounded in (("bfloat16", bfloat16), ("float16", half)):
        arrays = {term: rounded(getattr(layer, term)) for term in terms}
        for b in (rounded(biases).sum(axis=0, dtype=np.float64), arrays["b"]):
            yield _changed(layer, arrays | {"b": b}, f"in {name}", TORCH_GATES)


def _of_one(term: str, tensor: Array) -> Iterator[tuple[Array, str, str]]:
    """What may have happened to one tensor: array, words, gates."""
    gates = TORCH_PEEPHOLES if len(tensor) % 4 or (term == "P" and tensor.ndim == 1) else TORCH_GATES
    yield np.zeros_like(tensor), "missing", gates
    if term == "P":
        for gate in gates:
            yield _without(tensor, gates, gate), "missing", gate
    for order in _orders(gates):
        yield _permuted(tensor, gates, order), _in_order(gates, order), _moved(gates, order)
    if tensor.ndim == 2:
        blocks = np.split(tensor, 4)
        if tensor.shape[1] == len(blocks[0]):
            yield np.concatenate([block.T for block in blocks]), "transposed", gates
        yield tensor.T.reshape(tensor.shape), "transposed, and then taken for (4H, …)", gates


def _changed(layer: Layer, arrays: dict[str, Array], words: str, gates: str) -> Variant:
    return Variant(words, tuple(arrays), gates, layer._replace(**arrays))


def _orders(gates: str) -> list[str]:
    return ["".join(order) for order in permutations(gates)][1:]


def _permuted(tensor: Array, gates: str, order: str) -> Array:
    blocks = np.split(tensor, len(gates))
    return np.concatenate([blocks[gates.index(gate)] for gate in order])


def _moved(gates: str, order: str) -> str:
    return "".join(gate for gate, other in zip(gates, order, strict=True) if gate != other)


def _in_order(gates: str, order: str) -> str:
    got = [f"{gate} has {other}'s" for gate, other in zip(gates, order, strict=True) if gate != other]
    return f"in the wrong order: {', '.join(got)}"


def _without(tensor: Array, gates: str, gate: str) -> Array:
    blocks = np.split(tensor.copy(), len(gates))
    blocks[gates.index(gate)][:] = 0
    return np.concatenate(blocks)
