"""Every row of the embedding, asked once: the tokens that other cases draw are a few hundred, whatever the vocabulary.

Each token is one step from no state, where no gate is saturated by a random state and int8 rounds least, so that h, c
and the logits show the row by itself. The logits of V tokens are V · V numbers: a call has so many rows that its logits
are MOST numbers, and of n calls each is compared in its own columns of the logits, every n-th, and in h and c whole.
That is MOST logits of the reference in all, with every row and every column among them; other cases compare all columns
too.

A graph that draws gives no logits. Each of its rows reads one token and draws near the end of the interval of the same
token, so that a logit that is off draws a neighbour: columns of the projection and the bias show at every token. The
temperature makes the intervals of unlikely tokens wide enough for float32.
"""

from collections.abc import Iterator

import numpy as np

from lstmbench.arrays import Floats, Tokens, Weights
from lstmbench.check.case import Case
from lstmbench.model import sampling
from lstmbench.model.rounding import untied
from lstmbench.parity import ALL, FEW
from lstmbench.records import Decoding, ExportedModel, ModelConfig

MOST = 2**23  # logits of a call: 64 MiB in float64
_READ = Decoding(prompt=1, temperature=5.0, top_k=0)


def cases(exported: ExportedModel) -> Iterator[Case]:
    """One a call; none of a graph whose inputs are features."""
    V = exported.model.vocabulary_size
    time, decoding = exported.steps or 1, _READ if exported.draws else None
    if exported.model.head == "layer":
        return
    each = _tokens_a_call(V, time)
    for first in range(0, V, each):
        rows = -(-min(each, V - first) // _tokens_a_row(time))
        yield Case(rows, time, (time,), "none", decoding, asked="vocabulary", first_token=first)


def tokens(case: Case, vocabulary_size: int) -> Tokens:
    """(B, T): each row goes on where the one before it was FEW steps in, since in so many a run is always judged."""
    rows = case.first_token + _tokens_a_row(case.time) * np.arange(case.batch)
    found: Tokens = (rows[:, None] + np.arange(case.time)) % vocabulary_size
    return found


def columns(case: Case, vocabulary_size: int) -> slice:
    """Of the logits of this call: all where it is the only one."""
    each = _tokens_a_call(vocabulary_size, case.time)
    calls = -(-vocabulary_size // each)
    return slice(case.first_token // each, None, calls) if calls > 1 else ALL


def of_columns(config: ModelConfig, weights: Weights, columns: slice) -> tuple[ModelConfig, Weights]:
    """The model that gives these logits alone: in all precisions a row of the projection is rounded by itself."""
    if columns == ALL:
        return config, weights
    config, weights = untied(config, weights)
    return config, weights | {name: weights[name][columns] for name in ("decoder.weight", "decoder.bias")}


def edges(tokens: Tokens, logits: Floats, how: Decoding) -> Floats:
    """Near the end of what draws each of tokens (B, 1) from its own row of logits (B, 1, V): (B, 1) in [0, 1)."""
    rows = zip(logits[:, -1], tokens[:, -1], strict=True)
    near = [[sampling.near_end(row, int(token), temperature=how.temperature)] for row, token in rows]
    return np.array(near, np.float32)


def _tokens_a_row(time: int) -> int:
    return min(time, FEW)


def _tokens_a_call(V: int, time: int) -> int:
    return max(1, MOST // (V * time)) * _tokens_a_row(time)
