"""What each step reads: chunks of streams that run on, or lines of like length that end."""

from typing import NamedTuple, Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from lstmbench.corpus import IGNORED, Corpus, rows
from lstmbench.corpus.lines import Line, batches, lines
from lstmbench.errors import CorpusError, LstmbenchError
from lstmbench.model.dropout import Share
from lstmbench.records import TrainConfig


class Batch(NamedTuple):
    """The tokens of one step, of this process."""

    x: Tensor  # (B, T)
    y: Tensor  # (B, T); IGNORED behind the end of a row
    lengths: Tensor | None  # (B,), where rows end; None: all at T
    fresh: bool  # whether the state starts from zero
    weight: float  # of the mean over these tokens, in the mean over those of all processes


class Batches(Protocol):
    """What the steps read, in order; the same for the same step, whatever came before."""

    def at(self, step: int) -> Batch:
        """Of step 0, 1, …."""


class Streams:
    """The text as B rows side by side; the state is carried, and starts from zero with each pass over the text."""

    def __init__(self, tokens: NDArray[np.int64], time: int) -> None:
        self._tokens, self._time = torch.from_numpy(tokens), time  # (B, n)
        self._per_pass = (tokens.shape[1] - 1) // time

    def at(self, step: int) -> Batch:
        """T tokens of each row."""
        at, T = step % self._per_pass * self._time, self._time
        x, y = self._tokens[:, at : at + T], self._tokens[:, at + 1 : at + 1 + T]
        return Batch(x, y, None, at == 0, 1.0)


class Lines:
    """Each line from zero state, beside others of about its length; a pass takes every line once."""

    def __init__(self, found: list[Line], config: TrainConfig, share: Share) -> None:
        self._lines, self._batch, self._seed, self._share = found, config.batch, config.seed, share
        self._per_pass = len(found) // config.batch
        self._pass: tuple[int, list[list[int]]] = (-1, [])

    def at(self, step: int) -> Batch:
        """B lines, filled up to the longest."""
        number, at = divmod(step, self._per_pass)
        if number != self._pass[0]:
            lengths = [len(line) for line in self._lines]
            self._pass = number, batches(lengths, self._batch, seed=(self._seed, number))
        return laid_out([self._lines[k] for k in self._pass[1][at]], self._share)


def laid_out(chosen: list[Line], share: Share) -> Batch:
    """Lines, longest first -> the rows of one process; each line begins after what it follows."""
    T = len(chosen[0]) - 1
    x = np.zeros((len(chosen), T), np.int64)
    y = np.full((len(chosen), T), IGNORED, np.int64)
    for row, line in enumerate(chosen):
        x[row, : len(line) - 1], y[row, : len(line) - 1] = line[:-1], line[1:]
    lengths = np.array([len(line) - 1 for line in chosen])
    own = share.rows
    weight = float(lengths[own].sum() * share.size / lengths.sum())
    x, y, lengths = x[own], y[own], lengths[own]
    return Batch(torch.from_numpy(x), torch.from_numpy(y), torch.from_numpy(lengths), fresh=True, weight=weight)


def batches_of(corpus: Corpus, config: TrainConfig, share: Share) -> Batches:
    """What this process trains on; LstmbenchError where the text is too short, or B cannot be shared."""
    if config.batch % share.size:
        raise LstmbenchError(f"--batch {config.batch} cannot be shared by {share.size} processes: give a multiple")
    if config.besides.by_line:
        found = lines(corpus.train.tokens, corpus.vocabulary, most=config.time)
        if len(found) < config.batch:
            raise CorpusError(f"the training text has {len(found)} lines, too few for --batch {config.batch}")
        return Lines(found, config, share)
    if len(corpus.train.tokens) < config.batch * (config.time + 1):
        raise CorpusError(
            f"the training text has {len(corpus.train.tokens)} tokens, too few for --batch {config.batch} "
            f"x --time {config.time}: give smaller ones or a longer text"
        )
    return Streams(rows(corpus.train.tokens, config.batch)[share.rows].astype("int64"), config.time)


def steps_a_pass(corpus: Corpus, *, batch: int, time: int, by_line: bool) -> int:
    """How many steps read the training text once."""
    tokens = corpus.train.tokens
    return len(lines(tokens, corpus.vocabulary, most=time)) // batch if by_line else len(tokens) // (batch * time)
