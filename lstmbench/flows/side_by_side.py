"""Several trainings at once, a process each: small models use two cores far better so than with two threads."""

import contextlib
import os
import signal
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from multiprocessing import get_context, parent_process
from multiprocessing.synchronize import Event
from pathlib import Path
from typing import NamedTuple

from lstmbench import disk
from lstmbench.corpus import Corpus
from lstmbench.errors import WorkerError
from lstmbench.model.folder import Checkpoint
from lstmbench.records import ModelFolder
from lstmbench.train import JOURNAL, TrainingRow, demand_folder, train

POLL_S = 1.0
_stop: Event  # in a child: whether the parent wants it to end


class Planned(NamedTuple):
    """A model that is to be trained."""

    name: str
    folder: ModelFolder


def train_all(
    corpus: Corpus, planned: Sequence[Planned], models: Path, *, jobs: int, progress: Callable[[int], None]
) -> list[Checkpoint]:
    """Train what is not finished under `models`, `jobs` at a time; what one call did not finish, the next goes on with.

    `progress` is told how many steps all of them have done. CheckpointError, before anything is trained, if a folder
    holds another model.
    """
    for model in planned:
        demand_folder(models / model.name, model.folder)
    waiting, running = iter(planned), dict[str, Future[Checkpoint]]()
    done: dict[str, Checkpoint] = {}
    with _pool(jobs) as pool:
        while len(done) < len(planned):
            # never more than can run: what the pool had taken over it would still train after Ctrl-C
            for _, model in zip(range(jobs - len(running)), waiting, strict=False):
                with _interrupts_held():
                    running[model.name] = pool.submit(_train, corpus, model.folder, models / model.name)
            wait(running.values(), timeout=POLL_S, return_when=FIRST_COMPLETED)
            for name in [name for name, future in running.items() if future.done()]:
                done[name] = _result(running.pop(name), name)
            progress(sum(_steps(models / model.name) for model in planned))
    return [done[model.name] for model in planned]


@contextlib.contextmanager
def _pool(jobs: int) -> Iterator[ProcessPoolExecutor]:
    """A pool whose trainings save their position and end when the caller fails or is interrupted."""
    context = get_context("spawn")
    stop = context.Event()
    with ProcessPoolExecutor(jobs, mp_context=context, initializer=_set_stop, initargs=(stop,)) as pool:
        try:
            yield pool
        except BaseException:
            stop.set()
            raise


@contextlib.contextmanager
def _interrupts_held() -> Iterator[None]:
    """Keep Ctrl-C waiting while a child is started; the child inherits that for good: it is for the parent alone."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _result(future: Future[Checkpoint], name: str) -> Checkpoint:
    try:
        return future.result()
    except BrokenProcessPool as error:
        raise WorkerError(
            f"a training process was killed, perhaps for want of memory, while {name} was waited for; the same command "
            f"goes on from there"
        ) from error


def _set_stop(stop: Event) -> None:
    global _stop  # noqa: PLW0603 (a pool hands its children nothing else to keep)
    _stop = stop


def _train(corpus: Corpus, folder: ModelFolder, path: Path) -> Checkpoint:
    try:
        return train(corpus, folder, path, stop=lambda: _stop.is_set() or _orphaned())
    except KeyboardInterrupt:
        if _orphaned():  # nobody waits for the answer, and nobody would end this process
            os._exit(1)
        raise


def _orphaned() -> bool:
    parent = parent_process()
    return parent is not None and not parent.is_alive()


def _steps(path: Path) -> int:
    rows = disk.read_journal(path / JOURNAL, TrainingRow)
    return rows[-1].step if rows else 0
