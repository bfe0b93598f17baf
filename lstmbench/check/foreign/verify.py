"""One file on every runtime that runs graphs."""

import contextlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple, TypeAlias

from numpy.typing import NDArray

from lstmbench import environments
from lstmbench.check.foreign import sizes
from lstmbench.check.foreign.draws import Draws, draws
from lstmbench.check.foreign.judge import Question, judge
from lstmbench.check.foreign.match import match
from lstmbench.check.foreign.opened import Opened, about, opened
from lstmbench.check.foreign.oracle import CheckpointOracle, GraphOracle, Oracle
from lstmbench.check.foreign.outcome import ForeignReport, unjudged
from lstmbench.check.foreign.ranges import use
from lstmbench.errors import GraphError, LstmbenchError
from lstmbench.onnxfile.ports import Port
from lstmbench.records import MOST_THREADS
from lstmbench.runtimes import GRAPHS, available

Array = NDArray[Any]
Progress: TypeAlias = Callable[[str], None]


class _Task(NamedTuple):
    """A file, who knows its answers, and what each calls the other's inputs and outputs."""

    file: Opened
    oracle: Oracle
    inputs: Mapping[str, str]  # the oracle's name -> the file's
    outputs: Mapping[str, str]
    drawn: Draws
    fixed: Mapping[str, int]

    @property
    def wanted(self) -> tuple[Port, ...]:
        """The oracle's inputs that the file has."""
        return tuple(port for port in self.oracle.inputs if port.name in self.inputs)


def check_file(
    path: Path, runtimes: Sequence[str], *, against: Path | None = None, threads: int = 1, progress: Progress
) -> ForeignReport:
    """Compare every output with a float64 evaluation of the file itself, of another file, or with a model folder.

    RecordError, GraphError or CheckpointError for files that cannot be judged.
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
            oracle = stack.enter_context(contextlib.closing(GraphOracle(other or file)))
        task = _task(file, oracle)
        progress(f"evaluating {(other or file).path.name if not model else against}")
        questions = tuple(_questions(task))
        rows = [
            row for runtime in dict.fromkeys(runtimes) for row in judge(file, runtime, questions, threads, progress)
        ]
    for one in (file, other):
        if one is not None:
            one.demand_unchanged()
    if names := unjudged(rows):
        raise GraphError(f"{path}: rounding decides {', '.join(names)} at all sizes, so nothing can be said of it")
    return ForeignReport(against=str(against or path), rows=tuple(rows))


def _task(file: Opened, oracle: Oracle) -> _Task:
    inputs = match(file.path, "inputs", oracle.inputs, file.ports.inputs, optional=oracle.optional)
    outputs = match(file.path, "outputs", oracle.outputs, file.ports.outputs, optional=oracle.optional)
    by_name = {port.name: port for port in file.ports.inputs}
    wanted = tuple(port for port in oracle.inputs if port.name in inputs)
    if ("h_0" in inputs) != ("c_0" in inputs) and "h_0" in oracle.optional:
        raise GraphError(f"{file.path} takes one of h_0 and c_0: expected are both, or none for zeros")
    found = [by_name[inputs[port.name]] for port in wanted]
    with about(file.path):
        fixed = sizes.fix(wanted, found)
        drawn = draws(wanted, oracle.uses, {port.name: use(file.model, inputs[port.name]) for port in wanted})
    return _Task(file, oracle, inputs, outputs, drawn, fixed)


def _questions(task: _Task) -> Iterator[Question]:
    """What the file is given, and what it must answer; where names of sizes must be equal, they are."""
    names = sizes.open_names(task.wanted, task.fixed)
    plans = sizes.plan(names, task.fixed)
    try:
        first = _ask(task, plans[-1])
    except GraphError:
        if len(names) < 2:
            raise
        plans = sizes.equal(names, task.fixed)
        first = _ask(task, plans[-1])
    yield from (_ask(task, plan) for plan in plans[:-1])
    yield first


def _ask(task: _Task, at: Mapping[str, int]) -> Question:
    with about(task.file.path):
        given = task.drawn.draw(at)
    expected = task.oracle.expect(given)
    by_name = {port.name: port for port in task.file.ports.inputs}
    feeds = {task.inputs[n]: array.astype(by_name[task.inputs[n]].dtype, copy=False) for n, array in given.items()}
    outputs = {task.outputs[name]: one for name, one in expected.items() if name in task.outputs}
    return Question(sizes.words(task.wanted, at), feeds, outputs)


def _demand(runtimes: Sequence[str], threads: int) -> None:
    if not runtimes:
        raise LstmbenchError(f"nothing to check on: give at least one runtime; here: {', '.join(available(GRAPHS))}")
    if not 1 <= threads <= MOST_THREADS:
        raise LstmbenchError(f"cannot run on {threads} threads: give 1 to {MOST_THREADS}")
    for name in runtimes:
        environments.demand(name, GRAPHS)
