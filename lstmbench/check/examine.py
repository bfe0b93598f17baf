"""One export on one runtime: every case, in a process of its own."""

import math
from collections.abc import Callable
from time import monotonic
from typing import NamedTuple, TypeAlias

from lstmbench.check import asking, rows
from lstmbench.check.case import Case
from lstmbench.check.identity import subject_of
from lstmbench.check.ledger import Ledger
from lstmbench.check.oracle import Oracle
from lstmbench.check.placement import misplaced
from lstmbench.errors import LstmbenchError, RuntimeMissingError
from lstmbench.records import Clearance, ExportedModel, Subject
from lstmbench.worker import Worker, WorkerInfo

Progress: TypeAlias = Callable[[str], None]


class Task(NamedTuple):
    """What to check on what, and who knows the answers."""

    exported: ExportedModel
    oracle: Oracle
    cases: tuple[Case, ...]
    runtime: str
    threads: int
    allow_mixed: bool = False  # measure what ran on another provider than promised, and say so
    most_s: float = math.inf  # of loading and of its cases; the case that is being asked then is its last


def examine(task: Task, ledger: Ledger, progress: Progress) -> Clearance:
    """Run every case that is not known as passed, and say whether the subject may be measured.

    A runtime that cannot load, crashes or refuses fails the case that it was at, and nothing more is asked of it.
    RuntimeMissingError where an adapter that was named by its place, `module:Class`, is not there.
    """
    progress(f"loading {task.exported.name} on {task.runtime}")
    end_s = monotonic() + task.most_s
    try:
        worker = Worker(task.runtime, task.exported, threads=task.threads)
    except LstmbenchError as error:
        if ":" in task.runtime and isinstance(error, RuntimeMissingError):
            raise
        subject, first = _subject(task, None), task.cases[0]
        ledger.put(rows.unanswered(subject, first, task.oracle.ask(first), str(error)))
        return Clearance(exported=task.exported, subject=subject, refused=str(error))
    with worker:
        subject = _subject(task, worker.info)
        ledger.supersede(subject)
        if (why := misplaced(subject)) and not task.allow_mixed:
            return _refused(task, subject, ledger, why)
        again = task._replace(cases=tuple(dict.fromkeys((*task.cases, *ledger.failed(subject)))))
        refused = _run(again, worker, subject, ledger, end_s, progress)
    return Clearance(exported=task.exported, subject=subject, refused=refused)


def _refused(task: Task, subject: Subject, ledger: Ledger, why: str) -> Clearance:
    """Nothing is asked of a runtime whose figures would stand under a provider's name that did not run it."""
    first = task.cases[0]
    ledger.put(rows.unanswered(subject, first, task.oracle.ask(first), why))
    return Clearance(exported=task.exported, subject=subject, refused=why)


def _run(task: Task, worker: Worker, subject: Subject, ledger: Ledger, end_s: float, progress: Progress) -> str:
    """Run the cases -> the first reason against the subject, empty if there is none."""
    refused = ""
    for n, case in enumerate(task.cases, 1):
        if ledger.passed(subject, case):
            continue
        progress(f"{subject.model} on {subject.runtime}: case {n} of {len(task.cases)}")
        question = task.oracle.ask(case)
        if monotonic() >= end_s:
            why = (
                f"its check took {task.most_s:,.0f} s up to case {n} of {len(task.cases)}; the next call goes on there"
            )
            ledger.put(rows.unanswered(subject, case, question, why))
            return refused or why
        try:
            answer = asking.put(worker, case, question)
        except LstmbenchError as error:
            ledger.put(rows.unanswered(subject, case, question, str(error)))
            return refused or str(error)
        if case.decoding:
            question = question._replace(expected=task.oracle.follow(case, answer[0]))
        judged = rows.judged(subject, case, question, answer)
        if not refused and rows.first_failure(judged):
            judged = rows.looking(judged, task.oracle.looks(case, question, answer))
        ledger.put(judged)
        refused = refused or rows.first_failure(judged)
    if not any(row.judged for row in ledger.rows(subject, task.cases)):
        return refused or "nothing of it could be judged: at every shape its runs are chaotic; check it at T = 1 too"
    return refused


def _subject(task: Task, info: WorkerInfo | None) -> Subject:
    return subject_of(task.exported, task.runtime, task.threads, info)
