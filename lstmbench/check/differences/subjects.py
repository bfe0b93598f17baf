"""The search on every subject of a check: on the smallest run that it failed, or on one of the usual size."""

import functools
from collections.abc import Sequence
from pathlib import Path

from lstmbench import runfolder
from lstmbench.check.cases import Case, plan
from lstmbench.check.differences.box import Box
from lstmbench.check.differences.isolated import Model
from lstmbench.check.differences.joining import Run
from lstmbench.check.differences.search import Place, search
from lstmbench.check.examine import Progress
from lstmbench.check.oracle import Oracle
from lstmbench.check.outcome import CheckReport
from lstmbench.errors import LstmbenchError
from lstmbench.journal import Journal
from lstmbench.records import Clearance, Finding, ParityRow, Subject
from lstmbench.runtimes import unchanged
from lstmbench.worker import Worker

_USUAL = (3, 16)  # B, T of what passed its check
_RIGHT = "no difference found"
_UNSEEN = "the check failed, and what it asked for is right when it is asked again"
_DRAWN = "the states are right after every step: the logits, or the draw from them, are wrong"


def bisect(report: CheckReport, *, run: Path, progress: Progress) -> tuple[Finding, ...]:
    """Search each subject, and keep what is found in `bisect.jsonl`, in place of an earlier finding."""
    with runfolder.opened(run):
        journal = Journal(run / runfolder.BISECT, Finding, key=_identity)
        findings = []
        for clearance in report.clearances:
            progress(f"searching {clearance.exported.name} on {clearance.subject.runtime}")
            journal.drop(functools.partial(_stale, clearance.subject))
            findings.append(_find(clearance, report.failures()))
            journal.put([findings[-1]])
    return tuple(findings)


def _find(clearance: Clearance, failures: Sequence[ParityRow]) -> Finding:
    exported, subject = clearance.exported, clearance.subject
    case = _case(clearance, [row for row in failures if row.subject.identity == subject.identity])
    box = None
    try:
        with Worker(subject.runtime, exported, threads=subject.threads) as worker:
            box = Box(worker, exported)
            asked = Oracle(exported).ask(case)
            run = Run(asked.inputs, asked.state, case.ends(0, case.time), case.chunks)
            found = search(box, Model(exported, unchanged.weights(exported)), run)
    except LstmbenchError as error:
        found = Place("unanswered", str(error))
    if found is None:
        failed = Place("output", _DRAWN) if exported.draws else Place("unknown", _UNSEEN)
        found = Place("none", _RIGHT) if clearance.passed else failed
    probes = box.probes if box else 0
    return Finding(subject=subject, batch=case.batch, time=case.time, probes=probes, **found._asdict())


def _identity(found: Finding) -> Subject:
    return found.subject.identity


def _stale(now: Subject, found: Finding) -> bool:
    return now.replaces(found.subject)


def _case(clearance: Clearance, failures: Sequence[ParityRow]) -> Case:
    """The smallest that failed, or one of the usual size; never one where tokens are drawn: steps are asked for."""
    cases = [Case(row.batch, row.time, row.chunks, row.state, None, row.lengths) for row in failures]
    usual = sorted(plan(clearance.exported, [_USUAL]), key=lambda case: (case.state != "random", len(case.chunks)))
    chosen = min(cases, key=lambda case: (case.time, len(case.chunks), case.batch)) if cases else usual[len(usual) > 2]
    return chosen._replace(decoding=None)
