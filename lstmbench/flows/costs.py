"""What a runtime costs before it is of any use: bytes to download and on disk, and the time to its first answer."""

import tempfile
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from pathlib import Path
from time import perf_counter
from typing import Any, NamedTuple

from lstmbench import environments, machine
from lstmbench.environments import footprint
from lstmbench.errors import AnswerError, LstmbenchError
from lstmbench.export import export
from lstmbench.flows.installs import brought as installed
from lstmbench.flows.runtimes import survey
from lstmbench.model import folder, stimulus
from lstmbench.model.weights import random_weights
from lstmbench.parity.bound import Expected, expect
from lstmbench.parity.compare import compare
from lstmbench.records import (
    ColdStart,
    Environment,
    ExportedModel,
    Machine,
    ModelConfig,
    ModelFolder,
    RuntimeCost,
    RuntimeState,
)
from lstmbench.runtimes import PROBES, catalogue, names
from lstmbench.worker import GraphWorker, Worker

Progress = Callable[[str], None]
PROCESSES = 6  # the fewest whose least and most hold the median with 95 % confidence
_MODEL = ModelConfig(head="layer", peephole="full", input_size=128, hidden_size=128)
_FORM = "step"  # of multiplications and additions alone: engines that are wrong with P, or take no loop, run it too


class _Task(NamedTuple):
    """One call of one file, and what is right."""

    exported: ExportedModel
    inputs: Any  # x (1, 1, E)
    state: Any  # h and c (1, 1, H)
    right: tuple[Expected, ...]


class _Place(NamedTuple):
    """A runtime in a place, and its processes so far."""

    state: RuntimeState
    starts: list[ColdStart]
    refused: list[str]

    @property
    def asked(self) -> str:
        """As `--runtime` takes it."""
        apart = self.state.where == "environment"
        return f"{self.state.runtime}=={self.state.version}" if apart else self.state.runtime


def costs(progress: Progress) -> tuple[RuntimeCost, ...]:
    """ColdStart every usable runtime in turn, once unmeasured and PROCESSES times more; each answer is checked.

    The turns are rounds over all of them, so that what else the machine does meets them alike.
    """
    here = machine.observe()
    places = [_Place(state, [], []) for state in survey(progress) if not state.refused]
    with tempfile.TemporaryDirectory() as made:
        task = _task(Path(made) / "cell")
        for n in range(PROCESSES + 1):
            for place in (one for one in places if not one.refused):
                progress(f"starting {place.asked}, {n} of {PROCESSES}")
                _turn(place, task, counts=n > 0)  # the first brings its files from the disk into memory
    held = footprint.packages()
    return tuple(_cost(place, held, here) for place in places)


def _task(made: Path) -> _Task:
    weights = random_weights(_MODEL, seed=0, gain=0.5)
    folder.write_config(made, ModelFolder(model=_MODEL))
    folder.write_weights(made, weights, folder.WeightsNote(sha256=""))
    inputs = stimulus.inputs(_MODEL, batch=1, time=1, seed=0)
    state = stimulus.state(_MODEL, batch=1, seed=0)
    return _Task(export(made, form=_FORM), inputs, state, expect(_MODEL, weights, inputs, state))


def _turn(place: _Place, task: _Task, *, counts: bool) -> None:
    try:
        start = _start(place, task)
    except LstmbenchError as error:
        place.refused.append(str(error))
    else:
        place.starts.extend([start] * counts)


def _start(place: _Place, task: _Task) -> ColdStart:
    """From nothing to the first answer, which is right; AnswerError where it is not."""
    runs_file = place.state.runtime in names(PROBES)
    begin_s = perf_counter()
    with _of_file(place.asked, task) if runs_file else Worker(place.asked, task.exported) as worker:
        called_s = perf_counter()
        answers = _answers(worker, task)
        done_s = perf_counter()
        taken_s, load_s = worker.info.taken_s, worker.info.load_s  # one clock for all processes
    for expected in task.right:
        verdict = compare(answers[expected.name], expected.want, name=expected.name, bound=expected.bound)
        if not verdict.passed:
            raise AnswerError(f"its first answer is wrong: {verdict.reason}")
    return ColdStart(spawn_s=taken_s - begin_s, load_s=load_s, first_call_s=done_s - called_s)


def _of_file(asked: str, task: _Task) -> AbstractContextManager[GraphWorker]:
    return GraphWorker(asked, task.exported.path)


def _answers(worker: Worker | GraphWorker, task: _Task) -> Mapping[str, Any]:
    if isinstance(worker, GraphWorker):
        return worker.run({"x": task.inputs, "h_0": task.state.h, "c_0": task.state.c})
    output, after = worker.run(task.inputs, task.state)
    return dict(zip(_MODEL.output_names, (output, *after), strict=True))


def _cost(place: _Place, held: Mapping[str, footprint.Package], here: Machine) -> RuntimeCost:
    state, known = place.state, catalogue.known(place.state.runtime)
    assert known is not None, state
    apart = next(iter(environments.find(known.wheel, state.version)), None) if state.where == "environment" else None
    brought, size_bytes = installed(known, apart, held)
    return RuntimeCost(
        machine=here,
        runtime=state.runtime,
        version=state.version,
        device=state.device,
        where="here" if apart is None else "environment",
        install_bytes=size_bytes or None,
        environment_bytes=state.size_bytes,
        download_bytes=_downloaded(apart, brought),
        packages=tuple(sorted(brought)),
        starts=tuple(place.starts) if not place.refused else (),
        refused=next(iter(place.refused), ""),
    )


def _downloaded(apart: Environment | None, brought: frozenset[str]) -> int | None:
    """Of what the engine requires; None where it is not told."""
    if apart is None or not brought or not brought <= apart.downloads.keys():
        return None
    return sum(apart.downloads[name] for name in brought)
