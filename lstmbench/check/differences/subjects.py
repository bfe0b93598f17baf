"""The search on every subject of a check: on the smallest run that it failed, or on one of the usual size."""

import functools
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from lstmbench import runfolder
from lstmbench.check.differences.box import Box
from lstmbench.check.differences.isolated import Model
from lstmbench.check.differences.search import Place, search
from lstmbench.check.differences.wrong_runs import Run
from lstmbench.check.examine import Progress
from lstmbench.check.outcome import CheckReport
from lstmbench.check.placement import misplaced
from lstmbench.errors import LstmbenchError
from lstmbench.journal import Journal
from lstmbench.model import stimulus
from lstmbench.records import Clearance, Difference, ParityRow, Subject
from lstmbench.runtimes import unchanged
from lstmbench.worker import Worker

_USUAL = (3, 16)  # B, T of what passed its check
_RIGHT = "no difference found"
_UNSEEN = "the check failed, and what it asked for is right when it is asked again"
_DRAWN = "the states are right after every step: the logits, or the draw from them, are wrong"
_SEED = 20_000  # of the check itself: what it failed on is given again


class _Asked(NamedTuple):
    """A run as a check asks for it."""

    batch: int
    time: int
    chunks: tuple[int, ...]
    stateful: bool
    lengths: tuple[int, ...]


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
    box, asked, found = None, _usual(clearance), None
    try:
        _demand_placed(clearance)
        with Worker(subject.runtime, exported, threads=subject.threads) as worker:
            box = Box(worker, exported)
            model = Model(exported, unchanged.weights(exported))
            own = [row for row in failures if row.subject.identity == subject.identity]
            for asked in (*_smallest(own), _usual(clearance)):
                if found := search(box, model, _run(clearance, asked)):
                    break
    except LstmbenchError as error:
        found = Place("unanswered", str(error))
    if found is None:
        failed = Place("output", _DRAWN) if exported.draws else Place("unknown", _UNSEEN)
        found = Place("none", _RIGHT) if clearance.passed else failed
    probes = box.probes if box else 0
    return Difference(subject=subject, batch=asked.batch, time=asked.time, probes=probes, **found._asdict())


def _identity(found: Difference) -> Subject:
    return found.subject.identity


def _stale(now: Subject, found: Difference) -> bool:
    return now.replaces(found.subject)


def _smallest(failures: Iterable[ParityRow]) -> Iterator[_Asked]:
    """The smallest run that failed, if one did."""
    ordered = sorted(failures, key=lambda row: (row.asked != "plain", row.time, len(row.chunks), row.batch))
    for row in ordered[:1]:
        yield _Asked(row.batch, row.time, row.chunks, row.state == "random", row.lengths)


def _usual(clearance: Clearance) -> _Asked:
    """A run of the usual size in a few calls: of what passed, and where the smallest that failed is right again."""
    (batch, time), steps = _USUAL, clearance.exported.steps
    chunks = (steps,) * -(-time // steps) if steps else (5, 1, 10)
    time = sum(chunks)
    ends = stimulus.lengths(batch=batch, time=time, seed=_SEED).tolist() if clearance.exported.record.lengths else ()
    chunks = (time,) if clearance.exported.model.uncut else chunks
    return _Asked(batch, time, chunks, stateful=True, lengths=tuple(ends))


def _run(clearance: Clearance, asked: _Asked) -> Run:
    model = clearance.exported.model
    inputs = stimulus.inputs(model, batch=asked.batch, time=asked.time, seed=_SEED)
    state = stimulus.state(model, batch=asked.batch, seed=_SEED) if asked.stateful else None
    return Run(inputs, state, np.array(asked.lengths, np.int32) if asked.lengths else None, asked.chunks)
