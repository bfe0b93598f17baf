"""A file on one runtime, in a process of its own, held to what it must answer."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from lstmbench.check.foreign.opened import Opened
from lstmbench.check.foreign.outcome import Engine, ForeignRow
from lstmbench.check.foreign.placed import engine_of
from lstmbench.check.foreign.questions import Question
from lstmbench.check.placement import misplaced
from lstmbench.errors import LstmbenchError, RuntimeMissingError
from lstmbench.parity import Expected
from lstmbench.parity.graphs import compare_graph
from lstmbench.records import labelled
from lstmbench.worker import GraphWorker

Array = NDArray[Any]
_LIMIT_S = 60.0  # of a call; the evaluation in Python, which came before, was done with it in 300
_NOTHING = Expected("", np.zeros(0), 0.0, 0.0)  # of what the graph itself gets wrong


class Task(NamedTuple):
    """What a runtime is asked."""

    file: Opened
    questions: Sequence[Question]
    threads: int
    allow_mixed: bool  # take what ran on another provider than promised, and say so


def judge(task: Task, runtime: str, progress: Callable[[str], None]) -> Iterator[ForeignRow]:
    """One row an output and question; a runtime that fails at one is asked no more.

    RuntimeMissingError where the runtime is not here: that is no verdict on the file.
    """
    progress(f"{task.file.path.name} on {runtime}")
    first = task.questions[0]
    try:
        worker = GraphWorker(runtime, task.file.path, threads=task.threads)
    except RuntimeMissingError:
        raise
    except LstmbenchError as error:
        yield from _unanswered(_Asked(task.file, Engine(runtime=runtime), first), str(error))
        return
    with worker:
        worker.timeout_s = _LIMIT_S
        engine = engine_of(labelled(runtime, worker.info.device), worker.info)
        if (why := misplaced(engine)) and not task.allow_mixed:
            yield from _unanswered(_Asked(task.file, engine, first), why)
            return
        for question in task.questions:
            asked = _Asked(task.file, engine, question)
            yield from (_row(asked, name, reason=why) for name, why in question.faults.items())
            try:
                answer = question.way(worker.run, question.inputs)
            except LstmbenchError as error:
                yield from _unanswered(asked, str(error))
                return
            except (KeyError, ValueError, IndexError) as error:  # outputs of several calls, of whatever shapes
                yield from _unanswered(asked, f"its answers do not fit together: {error}")
                continue
            yield from _judged(asked, answer)


class _Asked(NamedTuple):
    file: Opened
    engine: Engine
    question: Question


def _judged(asked: _Asked, answer: Mapping[str, Array]) -> Iterator[ForeignRow]:
    dtypes = {port.name: port.dtype for port in asked.file.ports.outputs}
    for name, expected in asked.question.expected.items():
        if name not in answer:
            yield _row(asked, name, reason=f"{name} was not answered")
            continue
        verdict = compare_graph(answer[name], expected._replace(name=name), dtype=dtypes[name])
        yield _row(asked, name, **verdict._asdict())


def _unanswered(asked: _Asked, reason: str) -> Iterator[ForeignRow]:
    for name in asked.question.expected:
        yield _row(asked, name, reason=reason)


def _row(asked: _Asked, name: str, **found: Any) -> ForeignRow:
    expected = asked.question.expected.get(name, _NOTHING)
    judged = found.get("reason") or (not np.isnan(expected.bound) and expected.judged != 0)
    steps = expected.want.shape[expected.time_axis :][:1] or (1,)  # a single number has none
    left = 0 if expected.judged is None else steps[0] - expected.judged
    return ForeignRow(
        file=str(asked.file.path),
        engine=asked.engine,
        sizes=asked.question.sizes,
        asked=asked.question.asked,
        output=name,
        float32_error=_storable(expected.float32_error),
        bound=_storable(expected.bound) if judged else None,
        unjudged_steps=left if expected.judged else 0,
        **found,
    )


def _storable(value: float) -> float:
    """Where float32 overflows, its largest number stands for what has none."""
    return value if np.isfinite(value) else float(np.finfo(np.float32).max)
