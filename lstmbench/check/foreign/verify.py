"""One file on every runtime that runs graphs."""

import contextlib
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TypeAlias

from lstmbench import environments
from lstmbench.check.foreign.judge import Task, judge
from lstmbench.check.foreign.laws import laws
from lstmbench.check.foreign.opened import Opened, opened
from lstmbench.check.foreign.oracle import CheckpointOracle, GraphOracle, Oracle
from lstmbench.check.foreign.outcome import ForeignReport, unjudged
from lstmbench.check.foreign.paired import pair
from lstmbench.check.foreign.questions import questions
from lstmbench.check.foreign.tables import every_row
from lstmbench.errors import GraphError, LstmbenchError
from lstmbench.onnxfile.carried import Recognise, unrecognised
from lstmbench.records import MOST_THREADS
from lstmbench.runtimes import GRAPHS, available

Progress: TypeAlias = Callable[[str], None]


def check_file(  # noqa: PLR0913 (what to run, on what, how)
    path: Path,
    runtimes: Sequence[str],
    *,
    against: Path | None = None,
    threads: int = 1,
    allow_mixed: bool = False,
    recognise: Recognise = unrecognised,
    progress: Progress,
) -> ForeignReport:
    """Compare every output with a float64 evaluation of the file itself, of another file, or with a model folder.

    `recognise` tells of a file where states and time are, as `lstmbench.inspect.carried` does. RecordError, GraphError
    or CheckpointError for files that cannot be judged.
    """
    _demand(runtimes, threads)
    model = against is not None and against.is_dir()
    other = None if against is None or model else opened(against, evaluable=True)
    file = opened(path, evaluable=against is None)
    with contextlib.ExitStack() as stack:
        oracle: Oracle
        if model:
            assert against is not None
            oracle = CheckpointOracle(against, file.ports.inputs)
        else:
            oracle = stack.enter_context(contextlib.closing(_evaluated(other or file, recognise)))
        both = pair(file, oracle)
        progress(f"evaluating {(other or file).path.name if not model else against}")
        obeyed = laws(both)
        wholes = questions(both)
        rows_read = every_row(both, wholes)
        task = Task(file, (*wholes, *obeyed.questions, *rows_read.questions), threads, allow_mixed)
        rows = [row for runtime in dict.fromkeys(runtimes) for row in judge(task, runtime, progress)]
    for one in (file, other):
        if one is not None:
            one.demand_unchanged()
    names = unjudged(rows)
    if len(names) == len(both.outputs):
        raise GraphError(f"{path}: rounding decides {', '.join(names)} at all sizes, so nothing can be said of it")
    not_asked = {**obeyed.not_asked, **rows_read.not_asked}
    return ForeignReport(against=str(against or path), rows=tuple(rows), not_asked=not_asked)


def _evaluated(file: Opened, recognise: Recognise) -> GraphOracle:
    return GraphOracle(file, recognise(file.path))


def _demand(runtimes: Sequence[str], threads: int) -> None:
    if not runtimes:
        raise LstmbenchError(f"nothing to check on: give at least one runtime; here: {', '.join(available(GRAPHS))}")
    if not 1 <= threads <= MOST_THREADS:
        raise LstmbenchError(f"cannot run on {threads} threads: give 1 to {MOST_THREADS}")
    for name in runtimes:
        environments.demand(name, GRAPHS)
