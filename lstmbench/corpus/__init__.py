"""Text to vocabulary, splits and batches."""

import hashlib
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from lstmbench.corpus import sources
from lstmbench.corpus.rows import IGNORED, evaluation_rows, rows
from lstmbench.corpus.splits import split
from lstmbench.corpus.streamed import Held, Rows, Streamed
from lstmbench.corpus.vocabulary import Vocabulary, build, read_vocabulary, stream
from lstmbench.errors import CorpusError
from lstmbench.records import CorpusInfo, Unit

PARTS = ("train", "valid", "test")
__all__ = [
    "IGNORED",
    "Corpus",
    "Rows",
    "Split",
    "Vocabulary",
    "evaluation_rows",
    "held_out",
    "load",
    "read_vocabulary",
    "rows",
    "stream",
    "to_score",
]


class Split(NamedTuple):
    """One part of a text."""

    tokens: NDArray[Any]  # (N,)
    characters: int


class Corpus(NamedTuple):
    """A text in three parts, as token ids."""

    info: CorpusInfo
    vocabulary: Vocabulary
    train: Split
    valid: Split
    test: Split


def load(source: str, *, unit: Unit = "char", vocabulary_size: int | None = None) -> Corpus:
    """Read `source`, split it, learn its vocabulary from the training part, encode all parts."""
    text = sources.read(source)
    parts = text.parts or split(text.whole or "", at_spaces=unit != "char")
    vocabulary = build(unit, parts[0], vocabulary_size)
    train, valid, test = (_encode(vocabulary, part, name) for part, name in zip(parts, PARTS, strict=True))
    info = CorpusInfo(
        name=text.name,
        unit=unit,
        sha256=hashlib.sha256((text.whole or "\0".join(parts)).encode()).hexdigest(),
        characters=len(text.whole) if text.whole else sum(map(len, parts)),
        tokens=len(train.tokens),
    )
    return Corpus(info, vocabulary, train, valid, test)


def held_out(source: str, vocabulary: Vocabulary, *, whole: bool = False) -> Split:
    """The test part of `source`, or all of a text, as ids of a vocabulary that a model has already."""
    text = sources.read(source)
    if whole and text.whole is not None:
        return _encode(vocabulary, text.whole, "whole")
    *_, test = text.parts or split(text.whole or "", at_spaces=vocabulary.unit != "char")
    return _encode(vocabulary, test, "test")


def to_score(source: str, vocabulary: Vocabulary, *, whole: bool = False) -> Rows:
    """The same to be scored: all of a file is read as it is needed, whatever its size; a pipe is held in memory."""
    if whole and sources.is_file(source):
        return Streamed(Path(source), vocabulary)
    part = held_out(source, vocabulary, whole=whole)
    return Held(part.tokens, part.characters, vocabulary)


def _encode(vocabulary: Vocabulary, text: str, name: str) -> Split:
    tokens = vocabulary.encode(text).astype(np.int32)
    if len(tokens) < 2:
        raise CorpusError(f"the {name} part has {len(tokens)} tokens: give a longer text")
    return Split(tokens, len(text))
