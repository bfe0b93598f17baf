"""Text from a prompt, one token at a time, on any runtime; the same seed draws the same text."""

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np

from lstmbench.arrays import Floats, State
from lstmbench.corpus import Vocabulary, read_vocabulary
from lstmbench.errors import LstmbenchError
from lstmbench.generate.sampling import draw
from lstmbench.model.folder import VOCABULARY
from lstmbench.records import ExportedModel, Record
from lstmbench.worker import Worker

LEAST_TEMPERATURE = 1e-3


class Sampling(Record, frozen=True, kw_only=True):
    """How tokens are drawn."""

    tokens: int = 200
    temperature: float = 1.0  # 0: always the most likely token
    top_k: int = 0  # 0: all
    seed: int = 0

    def __post_init__(self) -> None:
        if self.tokens < 1 or self.top_k < 0 or self.seed < 0 or not 0 <= self.temperature < float("inf"):
            raise LstmbenchError("--tokens must be at least 1; --temperature, --top-k and --seed at least 0")
        if 0 < self.temperature < LEAST_TEMPERATURE:  # logits over it would leave the numbers
            raise LstmbenchError(f"--temperature must be 0 (the most likely token) or at least {LEAST_TEMPERATURE}")


class Step(NamedTuple):
    """One token that was drawn; `fragile` when rounding on another runtime could have drawn another."""

    number: int  # from 1
    token: int
    fragile: bool


class Parting(NamedTuple):
    """Where two runtimes' texts part."""

    number: int
    tokens: tuple[int, int]
    fragile: bool  # within the tolerance of parity: expected; otherwise one of the two is wrong


def vocabulary_of(exported: ExportedModel) -> Vocabulary:
    """The vocabulary of the model's folder; LstmbenchError if it is not this model's."""
    if exported.model.head != "lm":
        raise LstmbenchError(f"{exported.name} has no vocabulary: text needs an export of head 'lm'")
    vocabulary = read_vocabulary(Path(exported.folder) / VOCABULARY)
    if vocabulary.size != exported.model.vocabulary_size:
        raise LstmbenchError(
            f"{exported.folder} holds a vocabulary of {vocabulary.size} tokens, the model has "
            f"{exported.model.vocabulary_size}; train again"
        )
    return vocabulary


def generate(worker: Worker, prompt: np.ndarray, sampling: Sampling) -> Iterator[Step]:
    """Yield one Step a token after prompt (N,), from zero state; the state never leaves the loop."""
    tolerance = max(check.bound for check in worker.exported.record.verified if check.output == "logits")
    top_k = sampling.top_k or worker.exported.model.vocabulary_size
    rng = np.random.default_rng(sampling.seed)
    logits, state = _read(worker, prompt)
    for number in range(1, sampling.tokens + 1):
        token, fragile = draw(
            logits[0, -1], rng.random(), temperature=sampling.temperature, top_k=top_k, tolerance=tolerance
        )
        yield Step(number, token, fragile)
        if number < sampling.tokens:
            logits, state = worker.run(np.array([[token]]), state)


def _read(worker: Worker, prompt: np.ndarray) -> tuple[Floats, State]:
    """Logits after the prompt (N,), and the state there: in one call, or in calls of one token where T is fixed."""
    pieces = np.split(prompt[None], (worker.exported.steps and range(1, len(prompt))) or [], axis=1)
    logits, state = worker.run(pieces[0])
    for piece in pieces[1:]:
        logits, state = worker.run(piece, state)
    return logits, state


def first_parting(one: Iterator[Step], other: Iterator[Step]) -> Parting | None:
    """Compare two texts token by token; None where they are the same."""
    for a, b in zip(one, other, strict=True):
        if a.token != b.token:
            return Parting(a.number, (a.token, b.token), a.fragile or b.fragile)
    return None
