"""Weights that are lost, taken in another order, turned, or rounded."""

import functools
import itertools
from collections.abc import Callable, Iterator

import numpy as np

from lstmbench.mistakes.case import Array, Case
from lstmbench.mistakes.mistake import Mistake, of_inputs
from lstmbench.model.gates import ONNX_GATES, ONNX_PEEPHOLES, order
from lstmbench.model.rounding import bfloat16, half

_ONCE = 1e-3  # what one weight is off by


def peepholes() -> Iterator[Mistake]:
    """Each block of P dropped, all of it, and P taken in each of the five other orders."""
    yield of_inputs("without P", lambda case: case.without("P") if case.has("P") else None)
    for gate in ONNX_PEEPHOLES:
        yield of_inputs(f"without P_{gate}", functools.partial(_without, gate=gate))
    for other in _others(ONNX_PEEPHOLES):
        yield of_inputs(f"with P read as {_spelled(other)}", functools.partial(_read, names="P", other=other))


def gates() -> Iterator[Mistake]:
    """W, R and B taken in each of the 23 other orders."""
    for other in _others(ONNX_GATES):
        yield of_inputs(f"with gates read as {_spelled(other)}", functools.partial(_read, names="WRB", other=other))


def biases() -> Iterator[Mistake]:
    """One of Wb and Rb lost, both halved, or taken for each other, which the sum of both cannot show."""
    yield of_inputs("without Wb", lambda case: _bias(case, [0, 1]))
    yield of_inputs("without Rb", lambda case: _bias(case, [1, 0]))
    yield of_inputs("with half of B", lambda case: _bias(case, [0.5, 0.5]))
    yield of_inputs("with Wb and Rb swapped", _swapped_biases)


def matrices() -> Iterator[Mistake]:
    """R turned in one gate and in all, one number off, and all numbers rounded to 16 bits."""
    yield of_inputs("with R of gate i transposed", lambda case: _turned(case, 1))
    yield of_inputs("with R transposed", lambda case: _turned(case, len(ONNX_GATES)))
    for name in "WR":
        yield of_inputs(f"with one number of {name} off by {_ONCE:g}", functools.partial(_off, name=name))
    yield of_inputs("with weights in bfloat16", lambda case: _rounded(case, bfloat16))
    yield of_inputs("with weights in float16", lambda case: _rounded(case, half))


def _others(own: str) -> list[str]:
    return ["".join(letters) for letters in itertools.permutations(own) if "".join(letters) != own]


def _spelled(letters: str) -> str:
    return ", ".join("c" if letter == "g" else letter for letter in letters)


def _without(case: Case, gate: str) -> Case | None:
    if not case.has("P"):
        return None
    P = case.tensors["P"].copy()
    _blocks(P, ONNX_PEEPHOLES)[:, ONNX_PEEPHOLES.index(gate)] = 0
    return case.but(P=P)


def _read(case: Case, names: str, other: str) -> Case | None:
    """What an engine takes for a gate is the block where the other order has it."""
    if not case.has(names[0]):
        return None
    own = ONNX_PEEPHOLES if names == "P" else ONNX_GATES
    return case.but(**{n: _reordered(case.tensors[n], own, order(other, own)) for n in names if case.has(n)})


def _reordered(array: Array, own: str, rows: list[int]) -> Array:
    halves = 2 if array.ndim == 2 and len(own) == len(ONNX_GATES) else 1  # B is Wb beside Rb
    whole = array.reshape(len(array), halves, len(own), -1)
    return whole[:, :, rows].reshape(array.shape)


def _blocks(array: Array, own: str) -> Array:
    """A view: (D, gates, H or H·…)."""
    return array.reshape(len(array), len(own), -1)


def _bias(case: Case, shares: list[float]) -> Case | None:
    if not case.has("B"):
        return None
    B = case.tensors["B"]
    both = B.reshape(len(B), 2, -1) * np.array(shares)[:, None]
    return case.but(B=both.reshape(B.shape))


def _swapped_biases(case: Case) -> Case | None:
    if not case.has("B"):
        return None
    B = case.tensors["B"]
    return case.but(B=B.reshape(len(B), 2, -1)[:, ::-1].reshape(B.shape))


def _turned(case: Case, gates: int) -> Case:
    R = case.tensors["R"].copy()
    blocks = R.reshape(len(R), len(ONNX_GATES), case.hidden, case.hidden)
    blocks[:, :gates] = blocks[:, :gates].swapaxes(2, 3).copy()
    return case.but(R=R)


def _off(case: Case, name: str) -> Case:
    array = case.tensors[name].astype(np.float64)
    array[0, 0, 0] += _ONCE
    return case.but(**{name: array})


def _rounded(case: Case, by: Callable[[Array], Array]) -> Case:
    return case.but(**{name: by(case.tensors[name]) for name in "WRBP" if case.has(name)})
