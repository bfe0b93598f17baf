"""Text from a prompt on any runtime, a token at a time or all in one graph; the same seed draws the same text."""

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np

from lstmbench.arrays import Floats, State
from lstmbench.corpus import Vocabulary, read_vocabulary
from lstmbench.errors import LstmbenchError
from lstmbench.model import reference
from lstmbench.model.folder import VOCABULARY
from lstmbench.model.sampling import Draw, draw
from lstmbench.records import Decoding, ExportedModel, Record
from lstmbench.runtimes import unchanged
from lstmbench.worker import Worker

LEAST_TEMPERATURE = 1e-3
MOST_TOKENS = 2**24


class Sampling(Record, frozen=True, kw_only=True):
    """How tokens are drawn."""

    tokens: int = 200
    temperature: float = 1.0  # 0: always the most likely token
    top_k: int = 0  # 0: all
    seed: int = 0

    def __post_init__(self) -> None:
        if not 1 <= self.tokens <= MOST_TOKENS:
            raise LstmbenchError(f"--tokens must be 1 to {MOST_TOKENS:,}")
        if self.top_k < 0 or self.seed < 0 or not 0 <= self.temperature < float("inf"):
            raise LstmbenchError("--temperature, --top-k and --seed must be at least 0")
        if 0 < self.temperature < LEAST_TEMPERATURE:  # logits over it would leave the numbers
            raise LstmbenchError(f"--temperature must be 0 (the most likely token) or at least {LEAST_TEMPERATURE}")


class Step(NamedTuple):
    """One token that was drawn; `fragile` when rounding on another runtime could have drawn another.

    A graph that draws itself does not say so: see `told_fragile`.
    """

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
    """Yield one Step a token after prompt (N,), from zero state; a graph that draws itself gives all at once."""
    return (_in_graph if worker.exported.draws else _one_by_one)(worker, prompt, sampling)


def told_fragile(exported: ExportedModel, prompt: np.ndarray, sampling: Sampling, steps: list[Step]) -> list[Step]:
    """The steps that a graph drew, with what the reference, fed with these tokens, says of each."""
    fed = np.concatenate([prompt, [step.token for step in steps[:-1]]])
    logits, _ = reference.run(exported.model, unchanged.weights(exported), fed[None], dtype=np.float32)
    draws = zip(steps, logits[0, len(prompt) - 1 :], _uniform(sampling), strict=True)
    return [step._replace(fragile=_drawn(exported, row, at, sampling).fragile) for step, row, at in draws]


def _in_graph(worker: Worker, prompt: np.ndarray, sampling: Sampling) -> Iterator[Step]:
    how = Decoding(prompt=len(prompt), temperature=sampling.temperature, top_k=sampling.top_k)
    tokens, _ = worker.generate(prompt[None], _uniform(sampling)[None], how)
    for number, token in enumerate(tokens[0], 1):
        yield Step(number, int(token), fragile=False)


def _one_by_one(worker: Worker, prompt: np.ndarray, sampling: Sampling) -> Iterator[Step]:
    logits, state = _read(worker, prompt)
    for number, at in enumerate(_uniform(sampling), 1):
        token, fragile = _drawn(worker.exported, logits[0, -1], at, sampling)
        yield Step(number, token, fragile)
        if number < sampling.tokens:
            logits, state = worker.run(np.array([[token]]), state)


def _uniform(sampling: Sampling) -> Floats:
    """What each token is drawn at, (N,); in float32, as graphs take it."""
    return np.random.default_rng(sampling.seed).random(sampling.tokens).astype(np.float32)


def _drawn(exported: ExportedModel, logits: Floats, at: np.float32, sampling: Sampling) -> Draw:
    """Draw from logits (V,), which may be off by as much as the export's own proof allows."""
    tolerance = max(check.bound for check in exported.record.verified if check.output in ("logits", "tokens"))
    return draw(logits, float(at), temperature=sampling.temperature, top_k=sampling.top_k, tolerance=tolerance)


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
