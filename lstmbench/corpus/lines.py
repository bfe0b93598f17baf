"""A text as lines, each a sequence of its own, and batches of lines of about one length."""

import itertools
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from lstmbench.corpus.vocabulary import END_OF_LINE, Vocabulary
from lstmbench.errors import CorpusError

Line: TypeAlias = NDArray[Any]  # (1 + n,): what it follows, its n tokens; the last one is the break
POOL = 50  # batches whose lines are sorted together: so far a batch is from being drawn at random


def lines(tokens: NDArray[Any], vocabulary: Vocabulary, *, most: int) -> list[Line]:
    """Cut tokens (N,) behind each line break; a line of more than `most` tokens is cut there too.

    Every token is in one line once, and is what the next one follows; the first line follows a break.
    """
    breaks = _breaks(vocabulary)
    ends = np.flatnonzero(np.isin(tokens, breaks)) + 1
    begins = np.unique(np.concatenate([[0], ends]))
    cuts = [cut for a, b in _pairs(begins, len(tokens)) for cut in range(a, b, most)]
    before = np.concatenate([[breaks[0]], tokens]).astype(tokens.dtype)
    return [before[a : b + 1] for a, b in _pairs(np.array(cuts), len(tokens))]


def batches(lengths: list[int], size: int, *, seed: tuple[int, int]) -> list[list[int]]:
    """Numbers of lines in batches, longest first, in an order drawn by `seed`; what fills no batch is left out."""
    draw = np.random.default_rng(seed)
    order = draw.permutation(len(lengths))[: len(lengths) // size * size]
    falling = np.negative(lengths)
    pools = [order[k : k + POOL * size] for k in range(0, len(order), POOL * size)]
    ordered = np.concatenate([pool[np.argsort(falling[pool], kind="stable")] for pool in pools])
    found = ordered.reshape(-1, size)
    chosen: list[list[int]] = found[draw.permutation(len(found))].tolist()
    return chosen


def _breaks(vocabulary: Vocabulary) -> NDArray[np.int64]:
    """The tokens that end a line."""
    if vocabulary.unit == "bpe":
        found = [k for k in range(vocabulary.size) if vocabulary.decode([k]).endswith("\n")]
    else:
        found = [vocabulary.tokens.index(end) for end in ("\n", END_OF_LINE) if end in vocabulary.tokens]
    if not found:
        raise CorpusError("the text has no line breaks: train without --by-line")
    return np.array(found)


def _pairs(begins: NDArray[np.int64], end: int) -> list[tuple[int, int]]:
    """(begin, next begin) of each, the last one up to `end`; empty ones are left out."""
    bounds = [*begins.tolist(), end]
    return [(a, b) for a, b in itertools.pairwise(bounds) if a < b]
