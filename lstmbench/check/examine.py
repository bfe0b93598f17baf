"""One export on one runtime: every case, in a process of its own."""

from collections.abc import Callable
from typing import Any, NamedTuple, TypeAlias

import numpy as np

from lstmbench.arrays import Floats, Tokens
from lstmbench.check import rows
from lstmbench.check.cases import Case
from lstmbench.check.identity import subject_of
from lstmbench.check.ledger import Ledger
from lstmbench.check.oracle import Oracle, Question
from lstmbench.errors import LstmbenchError
from lstmbench.records import Clearance, Decoding, ExportedModel, Subject
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


def examine(task: Task, ledger: Ledger, progress: Progress) -> Clearance:
    """Run every case that is not known as passed, and say whether the subject may be measured.

    A runtime that cannot load, crashes or refuses fails the case that it was at, and nothing more is asked of it.
    """
    progress(f"loading {task.exported.name} on {task.runtime}")
    try:
        worker = Worker(task.runtime, task.exported, threads=task.threads)
    except LstmbenchError as error:
        subject, first = _subject(task, None), task.cases[0]
        ledger.put(rows.unanswered(subject, first, task.oracle.ask(first), str(error)))
        return Clearance(exported=task.exported, subject=subject, refused=str(error))
    with worker:
        subject = _subject(task, worker.info)
        ledger.supersede(subject)
        if subject.strays and not task.allow_mixed:
            return _misplaced(task, subject, ledger)
        again = task._replace(cases=tuple(dict.fromkeys((*task.cases, *ledger.failed(subject)))))
        refused = _run(again, worker, subject, ledger, progress)
    return Clearance(exported=task.exported, subject=subject, refused=refused)


def _misplaced(task: Task, subject: Subject, ledger: Ledger) -> Clearance:
    """Nothing is asked of a runtime whose figures would stand under a provider's name that did not run it."""
    where, first = ", ".join(subject.strays), task.cases[0]
    refused = f"recurrent nodes ran on {where}, not on {subject.provider} alone; --allow-mixed takes it, and says so"
    ledger.put(rows.unanswered(subject, first, task.oracle.ask(first), refused))
    return Clearance(exported=task.exported, subject=subject, refused=refused)


def _run(task: Task, worker: Worker, subject: Subject, ledger: Ledger, progress: Progress) -> str:
    """Run the cases -> the first reason against the subject, empty if there is none."""
    refused = ""
    for n, case in enumerate(task.cases, 1):
        if ledger.passed(subject, case):
            continue
        progress(f"{subject.model} on {subject.runtime}: case {n} of {len(task.cases)}")
        question = task.oracle.ask(case)
        try:
            answer = _answer(worker, case, question)
        except LstmbenchError as error:
            ledger.put(rows.unanswered(subject, case, question, str(error)))
            return refused or str(error)
        if case.decoding:
            question = question._replace(expected=task.oracle.follow(case, answer[0]))
        judged = rows.judged(subject, case, question, answer)
        ledger.put(judged)
        refused = refused or rows.first_failure(judged)
    return refused


def _answer(worker: Worker, case: Case, question: Question) -> tuple[Any, Floats, Floats]:
    """Call once a chunk, with the state that the last call left -> output of all steps, h_n, c_n."""
    if case.decoding:
        return _drawn(worker, case, case.decoding, question)
    parts, state, start = [], question.state, 0
    for steps in case.chunks:
        part, state = worker.run(question.inputs[:, start : start + steps], state, lengths=case.ends(start, steps))
        parts.append(part)
        start += steps
    assert state is not None, "a case has at least one chunk"
    return np.concatenate(parts, axis=1), state.h, state.c


def _drawn(worker: Worker, case: Case, how: Decoding, question: Question) -> tuple[Tokens, Floats, Floats]:
    """Call once a chunk, with the state and the last token that the last call left -> all tokens, h_n, c_n."""
    assert question.uniform is not None
    prompt, state, start = question.inputs.astype(np.int64), question.state, 0
    parts = []
    for count in case.chunks:
        part, state = worker.generate(prompt, question.uniform[:, start : start + count], how, state)
        parts.append(part)
        prompt, start = part[:, -1:], start + count
    assert state is not None, "a case has at least one chunk"
    return np.concatenate(parts, axis=1), state.h, state.c


def _subject(task: Task, info: WorkerInfo | None) -> Subject:
    return subject_of(task.exported, task.runtime, task.threads, info)
