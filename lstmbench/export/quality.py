"""What a precision costs: the written file beside the model that it was made from, on text that neither has seen."""

import hashlib
import math
from collections.abc import Iterator
from typing import Any, NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from lstmbench.arrays import Floats, Tokens, Weights
from lstmbench.corpus import rows
from lstmbench.corpus.scoring import MOST_NATS, log_likelihoods, of_targets
from lstmbench.errors import ExportError
from lstmbench.model import reference, stimulus
from lstmbench.records import Quality
from lstmbench.worker import Worker

ROWS, TIME = 32, 1024  # of held-out text: streams side by side, tokens of each
_CHUNK = 32  # steps a call, where the form leaves it open
_SEED = 40_000
_T95 = 1.695519  # Student's t of 31 degrees of freedom, one row fewer than there are: 95 % lie below it
Answers: TypeAlias = tuple[Floats, Floats]  # of the model and of the file, on a piece of the same inputs


class Sums(NamedTuple):
    """Of one piece, a number for each row."""

    model_nats: NDArray[Any]
    file_nats: NDArray[Any]
    divergence: NDArray[Any]  # nats
    agreed: NDArray[Any]


def of_text(worker: Worker, weights: Weights, held_out: NDArray[Any]) -> Quality:
    """Score held-out tokens (N,) with both, from zero state; ExportError if there are too few for a row."""
    steps = worker.exported.steps or _CHUNK
    streams = rows(held_out, ROWS)[:, : TIME + 1].astype(np.int64)
    calls = (streams.shape[1] - 1) // steps
    if not calls:
        raise ExportError(
            f"the held-out text has {len(held_out)} tokens: {ROWS * (steps + 1)} are needed; take a longer"
        )
    inputs, targets = streams[:, : calls * steps], streams[:, 1 : calls * steps + 1]
    off = size = 0.0
    pieces = list[Sums]()
    for n, (model, file) in enumerate(_side_by_side(worker, weights, inputs, steps)):
        pieces.append(_sums(model, file, targets[:, n * steps : (n + 1) * steps]))
        off, size = off + _squares(file - model), size + _squares(model)
    model_nats, file_nats, divergence, agreed = (
        np.sum(parts, axis=0) / inputs.shape[1] for parts in zip(*pieces, strict=True)
    )
    change = file_nats - model_nats  # (R,) nats a token
    return Quality(
        relative_error=_share(off, size),
        tokens=inputs.size,
        perplexity=math.exp(min(MOST_NATS, float(file_nats.mean()))),
        perplexity_change=math.expm1(min(MOST_NATS, float(change.mean()))),
        perplexity_change_at_most=math.expm1(min(MOST_NATS, _at_most(change))),
        kl_nats=max(0.0, float(divergence.mean())),  # of equal ones rounding leaves any sign
        kl_nats_at_most=max(0.0, _at_most(divergence)),
        top1_agreement=float(agreed.mean()),
        top1_agreement_at_least=max(0.0, -_at_most(-agreed)),
        text_sha256=digest(held_out),
    )


def digest(held_out: NDArray[Any]) -> str:
    """SHA-256 of held-out tokens (N,), by which a record tells which text it is of."""
    return hashlib.sha256(np.ascontiguousarray(held_out, "<i8").tobytes()).hexdigest()


def of_layers(worker: Worker, weights: Weights) -> Quality:
    """Run random features through both, from zero state: bare layers predict nothing."""
    steps = worker.exported.steps or _CHUNK
    inputs = stimulus.inputs(worker.exported.model, batch=ROWS, time=steps, seed=_SEED)
    ((model, file),) = _side_by_side(worker, weights, inputs, steps)
    return Quality(relative_error=_share(_squares(file - model), _squares(model)))


def _side_by_side(worker: Worker, weights: Weights, inputs: Tokens | Floats, steps: int) -> Iterator[Answers]:
    """Both answers to a piece after the other, the state carried from piece to piece."""
    before: Any = None
    state = None
    for start in range(0, inputs.shape[1], steps):
        piece = inputs[:, start : start + steps]
        model, before = reference.run(worker.exported.model, weights, piece, before, dtype=np.float32)
        file, state = worker.run(piece, state)
        if not np.isfinite(file).all():
            raise ExportError(
                f"{worker.exported.record.file} was not kept: it gives NaN or infinity on held-out inputs"
            )
        yield model, file


def _squares(values: Floats) -> float:
    return float(np.square(values, dtype=np.float64).sum())


def _share(off: float, size: float) -> float | None:
    """The root of a share of squares; None where it is one of nothing."""
    return math.sqrt(off / size) if size else None if off else 0.0


def _sums(model: Floats, file: Floats, targets: Tokens) -> Sums:
    agreed = model.argmax(axis=-1) == file.argmax(axis=-1)
    p, q = log_likelihoods(model), log_likelihoods(file)
    divergence = (np.exp(p) * (p - q)).sum(axis=(1, 2))
    return Sums(_nats(p, targets), _nats(q, targets), divergence, agreed.sum(axis=1))


def _nats(log_likelihoods: NDArray[np.float64], targets: Tokens) -> NDArray[Any]:
    """(R, T, V), targets (R, T) -> the sum of -log p a row (R,)."""
    nats: NDArray[Any] = -of_targets(log_likelihoods, targets).sum(axis=1)
    return nats


def _at_most(change: NDArray[Any]) -> float:
    """The one-sided 95 % bound of the mean over rows (Student's t)."""
    spread = float(change.std(ddof=1)) / math.sqrt(len(change))
    return float(change.mean()) + _T95 * spread
