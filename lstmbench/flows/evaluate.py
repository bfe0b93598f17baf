"""Check, then score a text: nats a token, perplexity and bits a character of what a runtime really computes."""

import math
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
import numpy as np
from numpy.typing import NDArray

from lstmbench import disk, runfolder
from lstmbench.check import check
from lstmbench.corpus import IGNORED, Rows
from lstmbench.corpus.scoring import log_likelihoods, of_targets, score
from lstmbench.corpus.streamed import ROWS
from lstmbench.errors import AnswerError, LstmbenchError
from lstmbench.journal import Journal
from lstmbench.model import folder as model_folder
from lstmbench.records import Clearance, Evaluation, ExportedModel, ModelFolder, Subject, Workload
from lstmbench.worker import Worker

_STEPS = 64  # a call
_MOST_LOGITS = 2**25  # of a call
_T95 = 2.093024  # Student's t of 19 degrees of freedom: 95 % lie within it on both sides


class Text(NamedTuple):
    """Tokens of one vocabulary, and where they are from."""

    name: str
    rows: Rows
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
    which holds as far as rows are alike. The run's folder keeps each score; what it has already is not scored again.
    """
    scorable = [one for one in exported if one.model.head == "lm" and not one.draws]
    if not scorable:
        raise LstmbenchError("no export here gives logits: export head 'lm' in another form than generate")
    batch = text.rows.size.rows
    calls = {Workload(kind="score", batch=batch, time=_steps(one)) for one in scorable}
    checked = check(
        scorable,
        runtimes,
        run=run,
        threads=threads,
        workloads=sorted(calls, key=lambda work: work.time),
        progress=progress,
    )
    with runfolder.opened(run):
        journal = Journal(run / runfolder.EVALUATIONS, Evaluation, key=_case)
        return [_kept(journal, clearance, text, progress) for clearance in checked.clearances]


def _kept(
    journal: Journal[Evaluation], clearance: Clearance, text: Text, progress: Callable[[str], None]
) -> Evaluation:
    empty = Evaluation(subject=clearance.subject, text=text.name, text_sha256=text.rows.size.sha256)
    if not clearance.passed:
        found = msgspec.structs.replace(empty, refused=clearance.refused)
    else:
        known = [row for row in journal.rows(_case(empty)) if row.score is not None]
        found = known[0] if known else _evaluated(empty, clearance, text, progress)
    journal.put([found])
    return found


def _case(row: Evaluation) -> tuple[Subject, str]:
    return row.subject.identity, row.text_sha256


def _steps(exported: ExportedModel) -> int:
    """T of each call: what the form takes; where attention reads a whole call, that of training; else what fits."""
    if exported.model.uncut:
        config = disk.read_record(Path(exported.folder) / model_folder.CONFIG, ModelFolder)
        return config.steps_a_call or _STEPS
    return exported.steps or max(1, min(_STEPS, _MOST_LOGITS // (ROWS * exported.model.vocabulary_size)))


def _evaluated(empty: Evaluation, clearance: Clearance, text: Text, progress: Callable[[str], None]) -> Evaluation:
    subject, size = clearance.subject, text.rows.size
    progress(f"scoring {text.name}: {clearance.exported.name} on {subject.runtime}")
    try:
        with Worker(subject.runtime, clearance.exported, threads=subject.threads) as worker:
            nats, counts = _sums(worker, text.rows)
    except LstmbenchError as error:
        return msgspec.structs.replace(empty, refused=str(error))
    low, high = _interval(nats / counts) if len(nats) == ROWS else (None, None)
    tokens = int(counts.sum())
    characters = size.characters * tokens / size.tokens
    found = score(float(nats.sum()), tokens, characters=characters, lossless=text.lossless)
    return msgspec.structs.replace(empty, score=found, nats_low=low, nats_high=high, rows=len(nats))


def _sums(worker: Worker, rows: Rows) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Of each row (R,) -log p summed over its tokens, and how many they are; the last call holds what counts not."""
    nats, counts, state = np.zeros(rows.size.rows), np.zeros(rows.size.rows, np.int64), None
    for x, y in rows.windows(_steps(worker.exported)):
        logits, state = worker.run(x, state)
        if not np.isfinite(logits).all():
            raise AnswerError("logits hold NaN or infinity on this text")
        scored = y != IGNORED
        nats -= np.where(scored, of_targets(log_likelihoods(logits), np.maximum(y, 0)), 0).sum(axis=1)
        counts += scored.sum(axis=1)
    return nats, counts


def _interval(means: NDArray[Any]) -> tuple[float, float]:
    half = _T95 * float(means.std(ddof=1)) / math.sqrt(len(means))
    return float(means.mean()) - half, float(means.mean()) + half
