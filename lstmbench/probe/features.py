"""What is probed: a row of the matrix each, with calls that no other reading of the feature answers as the right one.

Weights are random and differ by gate, unit and direction, T is 4, lengths are unequal and one of them is T, and
states are far from zero. tests/probe/test_features.py plants every mistake of `lstmbench.mistakes` in every row.
"""

from collections.abc import Iterator
from itertools import chain
from typing import Literal, NamedTuple, TypeAlias

import numpy as np

from lstmbench.evaluator import Attributes
from lstmbench.mistakes import Case
from lstmbench.model.gates import ONNX_PEEPHOLES
from lstmbench.probe.draw import B, Scale, T, draw, on_integers

# a graph of one operator, or of a step that is repeated by Scan or Loop, or written out T times
GraphForm: TypeAlias = Literal[
    "LSTM",
    "Scan",
    "Loop",
    "Loop without condition",
    "DynamicQuantizeLSTM",
    "DynamicQuantizeMatMul",
    "MatMulInteger",
]
INTEGERS: tuple[GraphForm, ...] = ("DynamicQuantizeLSTM", "DynamicQuantizeMatMul", "MatMulInteger")
_STATES = ("initial_h", "initial_c")
_CELLS = {"": _STATES, ", P": (*_STATES, "P")}
_CLIP = 1.25
_WITHIN, _BEYOND = Scale(W=0.8, initial_c=0.4), Scale(initial_c=3.0)  # so clip bounds the gates alone, or C_t too
_THREE = ("HardSigmoid", "ScaledTanh", "Softsign")
_NUMBERS = Attributes(activation_alpha=(0.3, 0.7), activation_beta=(0.4, 1.3))
_BOTH = Attributes(direction="bidirectional")
# gates that are nearly open or shut: rounding moves them little, a mistake from end to end; the draws are those of a
# hundred in which the mistake that shows least shows most
_HALF = {"fp16 73": Scale(W=0.3, R=1.0, B=1.0, initial_c=3.0), "fp16 P 26": Scale(W=0.3, R=1.0, B=1.0, initial_c=3.0)}
_COARSE = {
    "int8 11": Scale(W=0.6, R=0.15, B=2.0),
    "int8 P 50": Scale(W=0.3, R=0.15, B=2.0, P=2.0, initial_c=3.0),
}


class Feature(NamedTuple):
    """A row: one graph, run once for each case; the cases share their weights and attributes."""

    name: str
    cases: tuple[Case, ...]
    form: GraphForm = "LSTM"
    open: str = ""  # which of B and T the graph leaves open


def features() -> tuple[Feature, ...]:
    """Every row, in the order of the table."""
    rows = (_plain(), _attributes(), _sizes(), _edges(), _loops(), _types(), _integers())
    return tuple(chain.from_iterable(rows))


def _plain() -> Iterator[Feature]:
    yield Feature("LSTM", (draw("LSTM"),))
    yield Feature("initial states", (draw("initial states", *_STATES),))
    for n, gate in enumerate(ONNX_PEEPHOLES):
        case = draw(f"P_{gate}", *_STATES, "P")
        P = case.tensors["P"].reshape(3, -1) * (np.arange(3) == n)[:, None]
        yield Feature(f"P_{gate}", (case.but(P=P.reshape(1, -1)),))
    yield Feature("P", (draw("P", *_STATES, "P"),))


def _attributes() -> Iterator[Feature]:
    yield from _twice("sequence_lens", "sequence_lens")
    yield from _twice("reverse", how=Attributes(direction="reverse"))
    yield from _twice("bidirectional", how=_BOTH)
    yield from _twice("bidirectional, sequence_lens", "sequence_lens", how=_BOTH)
    yield from _twice("input_forget", how=Attributes(input_forget=True))
    yield from _twice("clip", how=Attributes(clip=_CLIP), scale=_WITHIN, number=3)
    yield from _twice("clip of C_t", how=Attributes(clip=_CLIP), scale=_BEYOND)
    yield from _twice("layout=1", how=Attributes(layout=1))
    yield from _twice("activations", how=_NUMBERS._replace(activations=_THREE))
    six = (*_THREE, "Sigmoid", "Softsign", "Tanh")
    yield from _twice(
        "activations of each direction", how=_NUMBERS._replace(activations=six, direction="bidirectional")
    )


def _twice(
    name: str,
    *inputs: str,
    how: Attributes = Attributes(),  # noqa: B008 (a frozen tuple)
    scale: Scale = Scale(),  # noqa: B008
    number: int = 0,
) -> Iterator[Feature]:
    """Without and with peepholes; the number says which draw."""
    for words, own in _CELLS.items():
        drawn = draw(f"{name}{words} {number}", *own, *inputs, how=how, scale=scale)
        yield Feature(f"{name}{words}", (drawn,))


def _sizes() -> Iterator[Feature]:
    yield _open("dynamic T", "T", [(B, T), (B, 1), (B, 7)])
    yield _open("dynamic B", "B", [(B, T), (1, T), (6, T)])


def _edges() -> Iterator[Feature]:
    """What streams and empty batches ask: where no step is taken, the state stays as it was given."""
    ended = draw("row of length 0", *_STATES).but(sequence_lens=np.array([2, T, 0], np.int32))
    yield Feature("row of length 0", (ended,))
    yield Feature("T = 0", (draw("T = 0", *_STATES, sizes=(B, 0)),), open="T")
    yield Feature("B = 0", (draw("B = 0", *_STATES, sizes=(0, T)),), open="B")


def _loops() -> Iterator[Feature]:
    forms: tuple[GraphForm, ...] = ("Scan", "Loop")
    for form in forms:
        yield Feature(f"{form}, P", (draw(f"{form}, P", *_STATES, "P"),), form)
        yield _open(f"{form}, P, dynamic B and T", "BT", [(B, T), (1, 7), (6, T)], form)
    bare: GraphForm = "Loop without condition"  # which is "true" where it is left out, as exporters leave it
    yield Feature(f"{bare}, P", (draw(f"{bare}, P", *_STATES, "P"),), bare)


def _open(name: str, letters: str, sizes: list[tuple[int, int]], form: GraphForm = "LSTM") -> Feature:
    """One graph at several sizes (B, T)."""
    inputs = _STATES if form == "LSTM" else (*_STATES, "P")
    first = draw(name, *inputs)
    calls = [draw(f"{name}, {batch}, {time}", *_STATES, sizes=(batch, time)) for batch, time in sizes]
    return Feature(name, tuple(first.but(**{n: c.tensors[n] for n in ("X", *_STATES)}) for c in calls), form, letters)


def _types() -> Iterator[Feature]:
    yield Feature("double", (draw("double", *_STATES).into(np.float64),))
    yield Feature("double, P", (draw("double, P", *_STATES, "P").into(np.float64),))
    for (words, inputs), (name, scale) in zip(_CELLS.items(), _HALF.items(), strict=True):
        yield Feature(f"fp16{words}", (draw(name, *inputs, scale=scale).into(np.float16),))


def _integers() -> Iterator[Feature]:
    for form in INTEGERS:
        for (words, inputs), (name, scale) in zip(_CELLS.items(), _COARSE.items(), strict=True):
            yield Feature(f"int8 {form}{words}", (on_integers(draw(name, *inputs, scale=scale)),), form)
