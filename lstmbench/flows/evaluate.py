"""Check, then score a text: nats a token, perplexity and bits a character of what a runtime really computes."""

import math
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from lstmbench import disk
from lstmbench.check import check
from lstmbench.corpus import IGNORED, Split, evaluation_rows
from lstmbench.corpus.scoring import log_likelihoods, of_targets, score
from lstmbench.errors import AnswerError, LstmbenchError
from lstmbench.model import folder as model_folder
from lstmbench.records import Clearance, Evaluation, ExportedModel, ModelFolder, Workload
from lstmbench.worker import Worker

ROWS = 20  # of a text, side by side, each from zero state: as training scores its test part
_STEPS = 64  # a call
_MOST_LOGITS = 2**25  # of a call
_T95 = 2.093024  # Student's t of 19 degrees of freedom: 95 % lie within it on both sides


class Text(NamedTuple):
    """Held-out tokens of one vocabulary, and where they are from."""

    name: str
    split: Split
    lossless: bool  # whether tokens spell every character


def evaluate(
    exported: Sequence[ExportedModel],
    runtimes: Sequence[str],
    text: Text,
    *,
    run: Path,
    threads: int = 1,
    progress: Callable[[str], None],
) -> list[Evaluation]:
    """Score `text` with every export on every runtime that passes the check at the very shape that is called.

    Every token but the first is predicted once, in ROWS rows; the interval is that of the rows' means (Student's t),
    which holds as far as rows are alike.
    """
    scorable = [one for one in exported if one.model.head == "lm" and not one.draws]
    if not scorable:
        raise LstmbenchError("no export here gives logits: export head 'lm' in another form than generate")
    inputs, targets = evaluation_rows(text.split.tokens, ROWS)
    calls = {Workload(kind="score", batch=len(inputs), time=_steps(one)) for one in scorable}
    checked = check(
        scorable,
        runtimes,
        run=run,
        threads=threads,
        workloads=sorted(calls, key=lambda work: work.time),
        progress=progress,
    )
    return [_evaluated(clearance, text, inputs, targets, progress) for clearance in checked.clearances]


def _steps(exported: ExportedModel) -> int:
    """T of each call: what the form takes; where attention reads a whole call, that of training; else what fits."""
    if exported.model.uncut:
        config = disk.read_record(Path(exported.folder) / model_folder.CONFIG, ModelFolder)
        return config.steps_a_call or _STEPS
    return exported.steps or max(1, min(_STEPS, _MOST_LOGITS // (ROWS * exported.model.vocabulary_size)))


def _evaluated(
    clearance: Clearance, text: Text, inputs: NDArray[Any], targets: NDArray[Any], progress: Callable[[str], None]
) -> Evaluation:
    subject = clearance.subject
    if not clearance.passed:
        return Evaluation(subject=subject, text=text.name, refused=clearance.refused)
    progress(f"scoring {text.name}: {clearance.exported.name} on {subject.runtime}")
    try:
        with Worker(subject.runtime, clearance.exported, threads=subject.threads) as worker:
            nats = np.sum(list(_nats(worker, inputs, targets)), axis=0)  # (R,)
    except LstmbenchError as error:
        return Evaluation(subject=subject, text=text.name, refused=str(error))
    counts = (targets != IGNORED).sum(axis=1)
    low, high = _interval(nats / counts) if len(nats) == ROWS else (None, None)
    tokens = int(counts.sum())
    characters = text.split.characters * tokens / len(text.split.tokens)
    found = score(float(nats.sum()), tokens, characters=characters, lossless=text.lossless)
    return Evaluation(subject=subject, text=text.name, score=found, nats_low=low, nats_high=high, rows=len(nats))


def _nats(worker: Worker, inputs: NDArray[Any], targets: NDArray[Any]) -> Iterator[NDArray[np.float64]]:
    """Of each call, -log p summed over its tokens, a number a row; the last is filled up with what does not count."""
    steps, state = _steps(worker.exported), None
    for start in range(0, inputs.shape[1], steps):
        x, y = (
            _filled(part[:, start : start + steps], steps, fill) for part, fill in ((inputs, 0), (targets, IGNORED))
        )
        logits, state = worker.run(x, state)
        if not np.isfinite(logits).all():
            raise AnswerError("logits hold NaN or infinity on this text")
        yield -np.where(y == IGNORED, 0, of_targets(log_likelihoods(logits), np.maximum(y, 0))).sum(axis=1)


def _filled(part: NDArray[Any], steps: int, fill: int) -> NDArray[np.int64]:
    return np.pad(part, ((0, 0), (0, steps - part.shape[1])), constant_values=fill).astype(np.int64)


def _interval(means: NDArray[Any]) -> tuple[float, float]:
    half = _T95 * float(means.std(ddof=1)) / math.sqrt(len(means))
    return float(means.mean()) - half, float(means.mean()) + half
