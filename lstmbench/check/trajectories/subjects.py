"""Every export on every runtime over a long run; what is finished is not run again."""

import functools
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple, TypeAlias

from lstmbench import runfolder
from lstmbench.check.examine import Progress
from lstmbench.check.identity import subject_of
from lstmbench.check.placement import misplaced
from lstmbench.check.trajectories.follow import follow
from lstmbench.check.trajectories.marks import calls, marks
from lstmbench.check.trajectories.reference import Course, course
from lstmbench.check.verify import pairs
from lstmbench.errors import LstmbenchError
from lstmbench.journal import Journal
from lstmbench.model.rounding import rounded
from lstmbench.records import Against, DriftRow, ExportedModel, Subject
from lstmbench.runtimes import unchanged
from lstmbench.worker import Worker

Courses: TypeAlias = Callable[[ExportedModel, tuple[int, ...], tuple[int, ...]], dict[Against, Course]]


class _Task(NamedTuple):
    """What is followed on what."""

    exported: ExportedModel
    runtime: str
    threads: int
    steps: int
    allow_mixed: bool


class Drift(NamedTuple):
    """What a long run found: rows of every subject that ran, and in one line why one did not."""

    rows: tuple[DriftRow, ...]
    refused: tuple[tuple[str, str], ...]  # "export on runtime", why


def drift(  # noqa: PLR0913 (what to run, on what, how, where)
    exported: Sequence[ExportedModel],
    runtimes: Sequence[str],
    *,
    run: Path,
    steps: int = 10_000,
    threads: int = 1,
    allow_mixed: bool = False,
    progress: Progress,
) -> Drift:
    """Run each export freely for `steps` steps on each runtime, a few rows of the same random inputs side by side.

    LstmbenchError where none can be run so: both directions and attention read a whole sequence, and form `generate`
    feeds itself.
    """
    some = [model for model in exported if not model.model.uncut and not model.draws]
    if not some:
        raise LstmbenchError(
            "nothing to follow: a long run is fed call by call, which neither both directions nor attention nor form "
            "'generate' allow"
        )
    rows, refused = list[DriftRow](), list[tuple[str, str]]()
    with runfolder.opened(run):
        journal = Journal(run / runfolder.DRIFT, DriftRow, key=_key)
        courses = functools.cache(_courses)
        for task in (_Task(*pair, threads, steps, allow_mixed) for pair in pairs(some, runtimes)):
            name = f"{task.exported.name} on {task.runtime}"
            progress(f"following {name}")
            try:
                rows += _one(task, journal, courses)
            except LstmbenchError as error:
                refused.append((name, str(error)))
    return Drift(tuple(rows), tuple(refused))


def _one(task: _Task, journal: Journal[DriftRow], courses: Courses) -> tuple[DriftRow, ...]:
    """The rows of one subject: those of an earlier run if they are whole."""
    exported = task.exported
    at = marks(task.steps, of=exported.steps or 1)
    cut = tuple(calls(at, of=exported.steps))
    with Worker(task.runtime, exported, threads=task.threads) as worker:
        subject = subject_of(exported, task.runtime, task.threads, worker.info)
        if (why := misplaced(subject)) and not task.allow_mixed:
            raise LstmbenchError(why)
        journal.drop(functools.partial(_stale, subject))
        known = courses(exported, cut, at)
        rows = journal.rows((subject.identity, sum(cut)))
        if len(rows) == 3 * len(at) * len(known):
            return rows
        rows = follow(worker, subject, cut, known)
    journal.put(rows)
    return rows


def _courses(exported: ExportedModel, cut: tuple[int, ...], at: tuple[int, ...]) -> dict[Against, Course]:
    """Of what the file holds, and below fp32 of what was trained."""
    config, weights = exported.model, unchanged.weights(exported)
    found: dict[Against, Course] = {"file": course(*rounded(config, weights, exported.record.precision), cut, at)}
    if exported.record.precision != "fp32":
        found["trained"] = course(config, weights, cut, at)
    return found


def _key(row: DriftRow) -> tuple[Subject, int]:
    return row.subject.identity, row.steps


def _stale(now: Subject, row: DriftRow) -> bool:
    return now.replaces(row.subject)
