"""A text as rows of tokens to be scored: held in memory, or read from a file of any size as it is needed.

A file is read twice. The first time tells how many tokens it has, and so where each row begins; the second time all
rows are read side by side. Of the file at most a piece a row is held, and two numbers for each of its pieces.
"""

import hashlib
from array import array
from bisect import bisect_right
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple, Protocol, TypeAlias

import numpy as np
from numpy.typing import NDArray

from lstmbench.corpus.pieces import pieces
from lstmbench.corpus.rows import IGNORED, evaluation_rows
from lstmbench.corpus.vocabulary import Vocabulary
from lstmbench.errors import CorpusError

ROWS = 20  # of a text, side by side, each from zero state: as training scores its test part
Window: TypeAlias = tuple[NDArray[np.int64], NDArray[np.int64]]


class Size(NamedTuple):
    """What is known of all of a text."""

    tokens: int
    characters: int
    rows: int  # R; 20, or fewer in a text of few tokens
    unknown: int  # tokens whose text the vocabulary lacks
    sha256: str  # of the tokens, as in the record of an export


class Rows(Protocol):
    """Every token but the first is predicted once, in rows that are read side by side."""

    size: Size

    def windows(self, steps: int) -> Iterator[Window]:
        """Inputs and targets (R, steps), from first to last; behind a row's end 0 and IGNORED."""


class Held:
    """Tokens (N,) in memory."""

    def __init__(self, tokens: NDArray[Any], characters: int, vocabulary: Vocabulary) -> None:
        sha256 = hashlib.sha256(tokens.astype("<i8").tobytes()).hexdigest()
        self._rows = evaluation_rows(tokens, ROWS)
        self.size = Size(len(tokens), characters, len(self._rows[0]), _unknown(tokens, vocabulary), sha256)

    def windows(self, steps: int) -> Iterator[Window]:
        """Slices."""
        inputs, targets = self._rows
        for start in range(0, inputs.shape[1], steps):
            yield _filled(inputs[:, start : start + steps], steps, 0), _filled(targets[:, start : start + steps], steps)


class Streamed:
    """Tokens of a file."""

    def __init__(self, path: Path, vocabulary: Vocabulary) -> None:
        self._path, self._vocabulary = path, vocabulary
        self._offsets, self._before = array("q"), array("q")  # of each piece: its first byte, the tokens before it
        tokens = characters = unknown = 0
        sha256 = hashlib.sha256()
        for offset, text in pieces(path, at_spaces=vocabulary.unit != "char"):
            found = vocabulary.encode(text)
            self._offsets.append(offset)
            self._before.append(tokens)
            sha256.update(found.astype("<i8").tobytes())
            tokens, characters = tokens + len(found), characters + len(text)
            unknown += _unknown(found, vocabulary)
        if tokens < 2:
            raise CorpusError(f"{path} has {tokens} tokens: give a longer text")
        rows = -(-(tokens - 1) // _length(tokens))
        self.size = Size(tokens, characters, rows, unknown, sha256.hexdigest())

    def windows(self, steps: int) -> Iterator[Window]:
        """What each row has read of its part of the file."""
        targets, n = self.size.tokens - 1, _length(self.size.tokens)
        begins = range(0, targets, n)
        readers = [self._read(begin, min(n, targets - begin) + 1, steps) for begin in begins]
        for _ in range(0, n, steps):
            parts = [next(reader, np.zeros(0, np.int64)) for reader in readers]
            x = np.stack([_filled(part[:-1], steps, 0) for part in parts])
            yield x, np.stack([_filled(part[1:], steps) for part in parts])

    def _read(self, begin: int, count: int, steps: int) -> Iterator[NDArray[np.int64]]:
        """Tokens begin, begin + 1, …, `count` in all, steps + 1 at a time; the last of one is the first of the next."""
        piece = bisect_right(self._before, begin) - 1
        held, behind = np.zeros(0, np.int64), begin - self._before[piece]
        for _, text in pieces(self._path, at_spaces=self._vocabulary.unit != "char", begin=self._offsets[piece]):
            held = np.concatenate([held, self._vocabulary.encode(text)[behind:]])
            behind = 0
            while min(len(held), count) > steps:
                yield held[: steps + 1]
                held, count = held[steps:], count - steps
            if len(held) >= count:
                break
        if len(held) < count:
            raise CorpusError(f"{self._path} changed while it was read: it lost tokens")
        if count > 1:
            yield held[:count]


def _length(tokens: int) -> int:
    """Of each row but the last."""
    return -(-(tokens - 1) // ROWS)


def _unknown(tokens: NDArray[Any], vocabulary: Vocabulary) -> int:
    return 0 if vocabulary.unit == "bpe" else int((tokens == 0).sum())


def _filled(part: NDArray[Any], steps: int, fill: int = IGNORED) -> NDArray[np.int64]:
    """(…, n) -> (…, steps)."""
    wide = [(0, 0)] * (part.ndim - 1) + [(0, steps - part.shape[-1])]
    return np.pad(part, wide, constant_values=fill).astype(np.int64)
