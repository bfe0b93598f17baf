"""What is wrong behind the layers: the read-out of a language model, or the output of bare layers."""

import numpy as np

from lstmbench.check.differences.box import Box
from lstmbench.check.differences.isolated import Array, Model
from lstmbench.check.differences.steps import Wrong
from lstmbench.check.differences.tokens import others_of, said
from lstmbench.model import reference, stimulus

_ROWS, _SEED = 64, 41_000


def cause(box: Box, model: Model, wrong: Wrong) -> tuple[tuple[str, ...], str]:
    """Terms and words; one probe, with other states: a bias is off by the same in all of them."""
    if model.config.head == "layer":
        return (), "y is not h of the last layer, which is right"
    inputs = np.repeat(wrong.inputs[wrong.here : wrong.here + 1], _ROWS, axis=0)
    answer = box.step(inputs, stimulus.state(model.config, batch=_ROWS, seed=_SEED))
    y = np.asarray(answer.h[-1], np.float64)
    want = reference.read_out(model.config, model.weights, y[:, None])[:, 0]  # (R, V)
    off = answer.output[:, 0] - want
    rows = np.flatnonzero(~(np.abs(off).max(axis=1) <= wrong.allowed))
    if len(rows) == 1:
        return (), f"row {rows[0]} of a call alone is wrong"
    if model.config.attention:  # of one step: it reads that step alone
        return ("attention", "projection"), "what a step reads of itself, or its projection, is wrong"
    tokens = np.flatnonzero(np.abs(off).max(axis=0) > wrong.allowed)
    same = (np.abs(off - off.mean(axis=0)).max(axis=0) <= wrong.allowed)[tokens].all()
    whose = others_of(tokens.tolist(), answer.output[:, 0].T, want.T, np.full(len(want), wrong.allowed))
    if words := said(whose, len(tokens), "the logits"):
        return ("projection",), words
    term = "bias" if same else "weights"
    return (
        f"projection {term}",
    ), f"the projection's {term} {_how(model, y, off, wrong.allowed, same)}{_of(tokens, off)}"


def _how(model: Model, y: Array, off: Array, allowed: float, same: bool) -> str:
    name = "embedding.weight" if model.config.tie_weights else "decoder.weight"
    missing = -model.weights["decoder.bias"] if same else -y @ model.weights[name].T.astype(np.float64)
    if (np.abs(off - missing) <= allowed).all():
        return "is missing" if same else "are missing"
    return "is wrong" if same else "are wrong"


def _of(tokens: Array, off: Array) -> str:
    if len(tokens) in (0, off.shape[1]):
        return ""
    some = ", ".join(map(str, tokens[:5].tolist())) + (", …" if len(tokens) > 5 else "")
    return f" for token{'s' * (len(tokens) > 1)} {some}"
