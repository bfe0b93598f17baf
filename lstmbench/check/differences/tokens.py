"""Of a language model whose layer 0 gets another input: the tokens whose embedding is wrong, and whose they have.

Each token is asked for from one state, and taken as often as a call has steps.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from lstmbench.arrays import State
from lstmbench.check.differences.box import MOST_ROWS, Box
from lstmbench.check.differences.isolated import Array, Model

MOST_CALLS = 16  # of MOST_ROWS tokens each
_NAMED = 5
_STEEPER = 16  # times, σ may be at one token beside another: at sums of 4.1, a sixteenth of what it is at 0


class Tokens(NamedTuple):
    """What layer 0 makes of every token that was asked for, in order."""

    asked: int
    wrong: list[int]
    whose: dict[int, int]  # of the first wrong ones, the one token whose answer each has
    over: Array  # (asked,): how many bounds the answer of each is off

    @property
    def words(self) -> str:
        """Which tokens have which other's; empty where none has another's."""
        return said(self.whose, len(self.wrong), "the embedding")

    def alone(self, model: Model) -> str:
        """Which tokens have a wrong embedding; empty where weights that are off may give the answers too.

        Were a row of W off by δ, what e·δ adds at a token of embedding e would be at most ‖e E⁺‖₁ times the most that
        it adds at the right tokens, whose embeddings are the rows of E. Where these do not span all e, nothing is said.
        """
        embedding = model.weights["embedding.weight"].astype(np.float64)[: self.asked]
        right = np.delete(embedding, self.wrong, axis=0)
        if not self.wrong or len(self.wrong) == self.asked or np.linalg.matrix_rank(right) < right.shape[1]:
            return ""
        factors = np.abs(embedding[self.wrong] @ np.linalg.pinv(right)).sum(axis=1)
        if (self.over[self.wrong] <= _STEEPER * np.maximum(factors, 1)).any():
            return ""
        return self.words or f"the embedding of token{'s' * (len(self.wrong) > 1)} {listed(self.wrong)} is wrong"


def listed(tokens: Sequence[int]) -> str:
    """The first of them, in words."""
    return ", ".join(map(str, tokens[:_NAMED])) + (", …" if len(tokens) > _NAMED else "")


def said(whose: dict[int, int], wrong: int, what: str) -> str:
    """In words which tokens have what belongs to which others; empty where some have nobody's."""
    if not whose or len(whose) < min(wrong, _NAMED):
        return ""
    (first, other), *_ = whose.items()
    if wrong == 2 and whose.get(other) == first:
        return f"tokens {first} and {other} have changed places in {what}"
    some = ", ".join(f"{token} has that of {other}" for token, other in list(whose.items())[:_NAMED])
    return f"tokens have {what} of others: {some}{', …' if wrong > _NAMED else ''}"


def others_of(wrong: list[int], got: Array, want: Array, bounds: Array) -> dict[int, int]:
    """Of the first wrong of N tokens, the one whose right values each has: got and want (N, n), bounds (n,)."""
    fits = {token: np.flatnonzero((np.abs(got[token] - want) <= bounds).all(axis=1)) for token in wrong[:_NAMED]}
    return {token: int(others[0]) for token, others in fits.items() if len(others) == 1 and others[0] != token}


def ask(box: Box, model: Model, state: State) -> Tokens:
    """Ask for as many tokens as MOST_CALLS can hold, from a state (L, 1, H)."""
    tokens = np.arange(min(model.config.vocabulary_size, MOST_CALLS * MOST_ROWS))
    got, want, bounds = [], [], np.zeros(0)
    for first in range(0, len(tokens), MOST_ROWS):
        inputs = tokens[first : first + MOST_ROWS, None].repeat(box.steps or 1, axis=1)
        many = State(*(np.repeat(array, len(inputs), axis=1) for array in state))
        answer = box.call(inputs, many) if box.steps else box.step(inputs, many)
        _, h, c = model.whole(inputs, many)
        got.append(np.concatenate([answer.h[0], answer.c[0]], axis=1))
        want.append(np.concatenate([h.want[0], c.want[0]], axis=1))
        bounds = np.repeat([h.bound, c.bound], answer.h.shape[2])
    all_got, all_want = np.concatenate(got), np.concatenate(want)
    over = np.abs(all_got - all_want) / bounds
    over = np.where(np.isnan(over), np.inf, over).max(axis=1)
    wrong = np.flatnonzero(over > 1).tolist()
    return Tokens(len(tokens), wrong, others_of(wrong, all_got, all_want, bounds), over)
