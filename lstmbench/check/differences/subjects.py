"""The search on every subject of a check: on the smallest run that it failed, or on one of the usual size."""

import functools
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np

from lstmbench import runfolder
from lstmbench.arrays import Weights
from lstmbench.check.case import Case
from lstmbench.check.cases import plan
from lstmbench.check.differences import again
from lstmbench.check.differences.box import Box
from lstmbench.check.differences.isolated import Model
from lstmbench.check.differences.search import Place, search
from lstmbench.check.differences.wrong_runs import Run
from lstmbench.check.examine import Progress
from lstmbench.check.outcome import CheckReport
from lstmbench.check.placement import misplaced
from lstmbench.check.question import inputs_of, state_of
from lstmbench.errors import LstmbenchError
from lstmbench.journal import Journal
from lstmbench.model import stimulus
from lstmbench.records import Clearance, Difference, ParityRow, Subject
from lstmbench.runtimes import unchanged
from lstmbench.worker import Worker

_USUAL = (3, 16)  # B, T of what passed its check
_NONE = Place("none", "no difference found")
_DRAWN = "the states are right after every step: the logits, or the draw from them, are wrong"
_SEED = 20_000  # of the check itself: what it failed on is given again


def bisect(report: CheckReport, *, run: Path, progress: Progress) -> tuple[Difference, ...]:
    """Search each subject, and keep what is found in `bisect.jsonl`, in place of an earlier finding."""
    with runfolder.opened(run):
        journal = Journal(run / runfolder.BISECT, Difference, key=_identity)
        findings = []
        for clearance in report.clearances:
            progress(f"searching {clearance.exported.name} on {clearance.subject.runtime}")
            journal.drop(functools.partial(_stale, clearance.subject))
            findings.append(_find(clearance, report.failures()))
            journal.put([findings[-1]])
    return tuple(findings)


def _demand_placed(clearance: Clearance) -> None:
    """Of what was refused for where it ran nothing was asked, and nothing is."""
    if clearance.refused and clearance.refused == misplaced(clearance.subject):
        raise LstmbenchError(clearance.refused)


def _find(clearance: Clearance, failures: Sequence[ParityRow]) -> Difference:
    exported, subject = clearance.exported, clearance.subject
    box, asked = None, _usual(clearance)
    try:
        _demand_placed(clearance)
        with Worker(subject.runtime, exported, threads=subject.threads) as worker:
            box = Box(worker, exported)
            weights = unchanged.weights(exported)
            own = _ordered(row for row in failures if row.subject.identity == subject.identity)
            for asked in (*map(Case.of, own[:1]), _usual(clearance)):
                model = Model(exported, weights, large=asked.state == "large")
                if found := search(box, model, _run(clearance, weights, asked)):
                    break
            found = _passed(worker, clearance, found) if clearance.passed else found or _failed(worker, clearance, own)
    except LstmbenchError as error:
        found = Place("unanswered", str(error))
    probes = box.probes if box else 0
    return Difference(subject=subject, batch=asked.batch, time=asked.time, probes=probes, **found._asdict())


def _passed(worker: Worker, clearance: Clearance, found: Place | None) -> Place:
    """A layer alone has a closer bound than the check's own, which decides whether what passed it has a difference."""
    if found and found.part != "unanswered":
        return found if again.failing(worker, clearance.subject, plan(clearance.exported, [_USUAL])) else _NONE
    return found or _NONE


def _failed(worker: Worker, clearance: Clearance, rows: Sequence[ParityRow]) -> Place:
    """What is said of a failure of which nothing is seen step by step: the check's question is put again."""
    if clearance.exported.draws:
        return Place("output", _DRAWN)
    if not rows:
        return Place("unknown", clearance.refused)
    failed = again.failing(worker, clearance.subject, dict.fromkeys(map(Case.of, rows)))
    first = [row for row in rows if Case.of(row) == Case.of(rows[0])]
    return again.told(failed or first, again=bool(failed))


def _identity(found: Difference) -> Subject:
    return found.subject.identity


def _stale(now: Subject, found: Difference) -> bool:
    return now.replaces(found.subject)


def _ordered(failures: Iterable[ParityRow]) -> list[ParityRow]:
    """What failed, the smallest runs first, that of large sums last."""
    return sorted(
        failures, key=lambda row: (row.state == "large", row.asked != "plain", row.time, len(row.chunks), row.batch)
    )


def _usual(clearance: Clearance) -> Case:
    """A run of the usual size in a few calls: of what passed, and where the smallest that failed is right again."""
    (batch, time), steps = _USUAL, clearance.exported.steps
    chunks = (steps,) * -(-time // steps) if steps else (5, 1, 10)
    time = sum(chunks)
    ends = stimulus.lengths(batch=batch, time=time, seed=_SEED).tolist() if clearance.exported.record.lengths else ()
    chunks = (time,) if clearance.exported.model.uncut else chunks
    return Case(batch, time, chunks, "random", lengths=tuple(ends))


def _run(clearance: Clearance, weights: Weights, asked: Case) -> Run:
    """As the check asks it, or each token of a vocabulary."""
    model = clearance.exported.model
    lengths = np.array(asked.lengths, np.int32) if asked.lengths else None
    inputs, state = inputs_of(asked, model, weights), state_of(asked, model, weights)
    return Run(inputs, state, lengths, asked.chunks)
