"""A file on one runtime, in a process of its own, held to what it must answer."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from lstmbench.check.foreign.opened import Opened
from lstmbench.check.foreign.outcome import ForeignRow
from lstmbench.errors import LstmbenchError, RuntimeMissingError
from lstmbench.parity import Expected
from lstmbench.parity.graphs import compare_graph
from lstmbench.records import labelled
from lstmbench.worker import GraphWorker

Array = NDArray[Any]


class Question(NamedTuple):
    """What the file is given, and what it must answer, by its own names."""

    sizes: str  # in words
    inputs: Mapping[str, Array]
    expected: Mapping[str, Expected]


def judge(
    file: Opened, runtime: str, questions: Sequence[Question], threads: int, progress: Callable[[str], None]
) -> Iterator[ForeignRow]:
    """One row an output and question; a runtime that fails at one is asked no more.

    RuntimeMissingError where the runtime is not here: that is no verdict on the file.
    """
    progress(f"{file.path.name} on {runtime}")
    try:
        worker = GraphWorker(runtime, file.path, threads=threads)
    except RuntimeMissingError:
        raise
    except LstmbenchError as error:
        yield from _unanswered(file, runtime, questions[0], str(error))
        return
    with worker:
        runtime = labelled(runtime, worker.info.device)
        for question in questions:
            try:
                answer = worker.run(question.inputs)
            except LstmbenchError as error:
                yield from _unanswered(file, runtime, question, str(error))
                return
            yield from _judged(file, runtime, question, answer)


def _judged(file: Opened, runtime: str, question: Question, answer: Mapping[str, Array]) -> Iterator[ForeignRow]:
    dtypes = {port.name: port.dtype for port in file.ports.outputs}
    for name, expected in question.expected.items():
        if name not in answer:
            yield _row(file, runtime, question, name, reason=f"{name} was not answered")
            continue
        verdict = compare_graph(answer[name], expected._replace(name=name), dtype=dtypes[name])
        yield _row(file, runtime, question, name, **verdict._asdict())


def _unanswered(file: Opened, runtime: str, question: Question, reason: str) -> Iterator[ForeignRow]:
    for name in question.expected:
        yield _row(file, runtime, question, name, reason=reason)


def _row(file: Opened, runtime: str, question: Question, name: str, **found: Any) -> ForeignRow:
    expected = question.expected[name]
    judged = found.get("reason") or not np.isnan(expected.bound)
    return ForeignRow(
        file=str(file.path),
        runtime=runtime,
        sizes=question.sizes,
        output=name,
        float32_error=_storable(expected.float32_error),
        bound=_storable(expected.bound) if judged else None,
        **found,
    )


def _storable(value: float) -> float:
    """Where float32 overflows, its largest number stands for what has none."""
    return value if np.isfinite(value) else float(np.finfo(np.float32).max)
