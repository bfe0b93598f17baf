"""What is wrong behind the layers: the read-out of a language model, or the output of bare layers."""

from typing import NamedTuple

import numpy as np

from lstmbench.arrays import State
from lstmbench.check.differences import readouts
from lstmbench.check.differences.box import Answer, Box
from lstmbench.check.differences.fit import left_of
from lstmbench.check.differences.isolated import Array, Model
from lstmbench.check.differences.steps import Wrong
from lstmbench.check.differences.tokens import listed, others_of, said
from lstmbench.model import reference, stimulus

_ROWS, _SEED = 64, 41_000
_WEIGHTS, _BIAS = "projection weights", "projection bias"


class Read(NamedTuple):
    """What was read out of the last layer's h, in R rows."""

    y: Array  # (R, H), as it came out
    got: Array  # (R, V)
    want: Array  # (R, V), of that very y

    @property
    def off(self) -> Array:
        """The difference, (R, V)."""
        return self.got - self.want


def cause(box: Box, model: Model, wrong: Wrong) -> tuple[tuple[str, ...], str]:
    """Terms and words, from the call that was wrong and its row again, among rows with other states."""
    if model.config.head == "layer":
        return (), "y is not h of the last layer, which is right"
    inputs, state = _again(model, wrong)
    probe = _read(model, box.step(inputs, state))
    rows = np.flatnonzero(~(np.abs(probe.off).max(axis=1) <= wrong.allowed))
    if len(rows) == 1 and _stays(box, model, inputs, state, row := int(rows[0]), wrong.allowed):
        return (), f"row {row} of a call alone is wrong"
    if model.config.attention:  # of one step: it reads that step alone
        return ("attention", "projection"), "what a step reads of itself, or its projection, is wrong"
    return _projected(model, _joined(_read(model, wrong.answer), probe), wrong.allowed)


def _again(model: Model, wrong: Wrong) -> tuple[Array, State]:
    """The row that was wrong, first as it was, then its input with other states."""
    inputs = np.repeat(wrong.inputs[wrong.here : wrong.here + 1], _ROWS, axis=0)
    state = State(*(array.copy() for array in stimulus.state(model.config, batch=_ROWS, seed=_SEED)))
    for array, known in zip(state, wrong.state, strict=True):
        array[:, 0] = known[:, wrong.here]
    return inputs, state


def _read(model: Model, answer: Answer) -> Read:
    y = np.asarray(answer.h[-1], np.float64)
    want = reference.read_out(model.config, model.weights, y[:, None])[:, 0]
    return Read(y, np.asarray(answer.output[:, 0], np.float64), want)


def _stays(box: Box, model: Model, inputs: Array, state: State, row: int, allowed: float) -> bool:
    """Whether it is that place of a call which is wrong, and not what stood there."""
    turned = _read(model, box.step(inputs, State(*(np.roll(array, 1, axis=1) for array in state))))
    return np.flatnonzero(~(np.abs(turned.off).max(axis=1) <= allowed)).tolist() == [row]


def _joined(*reads: Read) -> Read:
    """The rows of all that are finite."""
    y, got, want = (np.concatenate(arrays) for arrays in zip(*reads, strict=True))
    finite = np.isfinite(got).all(axis=1)
    return Read(y[finite], got[finite], want[finite])


def _projected(model: Model, read: Read, allowed: float) -> tuple[tuple[str, ...], str]:
    tokens = np.flatnonzero(np.abs(read.off).max(axis=0) > allowed)
    if words := readouts.known(read.got, read.want, allowed):
        return ("projection",), words
    whose = others_of(tokens.tolist(), read.got.T, read.want.T, np.full(len(read.want), allowed))
    if words := said(whose, len(tokens), "the logits"):
        return ("projection",), words
    same = (np.abs(read.off - read.off.mean(axis=0)).max(axis=0) <= allowed)[tokens].all()
    if same:  # a bias is off by the same in all states
        return (_BIAS,), f"the projection's bias {_how(model, read, allowed, _BIAS)}{_of(tokens, read.off)}"
    linear = _linear(read, tokens, allowed)
    if linear is False:
        return ("projection",), f"the logits{_of(tokens, read.off)} are no projection of h, which is right"
    words = f"the projection's weights {_how(model, read, allowed, _WEIGHTS)}{_of(tokens, read.off)}"
    return (_WEIGHTS,), words if linear else f"{words}, or what comes after them"


def _linear(read: Read, tokens: Array, allowed: float) -> bool | None:
    """Whether other weights and another bias give what came out; None where there are too few rows to tell."""
    A = np.concatenate([read.y, np.ones((len(read.y), 1))], axis=1)
    if len(A) < A.shape[1] + 4:
        return None
    inverse = np.linalg.pinv(A)
    off = read.off[:, tokens]
    left = np.abs(off - A @ (inverse @ off)).max(axis=1)
    return bool((left <= allowed * left_of(A, inverse)).all())


def _how(model: Model, read: Read, allowed: float, term: str) -> str:
    name = "embedding.weight" if model.config.tie_weights else "decoder.weight"
    bias = term == _BIAS
    missing = -model.weights["decoder.bias"] if bias else -read.y @ model.weights[name].T.astype(np.float64)
    gone = (np.abs(read.off - missing) <= allowed).all()
    return ("is " if bias else "are ") + ("missing" if gone else "wrong")


def _of(tokens: Array, off: Array) -> str:
    if len(tokens) == off.shape[1]:
        return ""
    return f" for token{'s' * (len(tokens) > 1)} {listed(tokens.tolist())}"
