"""All of `lstmbench check FILE.onnx` of one file, printed too: in a fork, where an engine may crash or never end.

Workers run in that fork, not in processes of their own, and sizes are few: a check takes some ten milliseconds. What a
worker would contain is contained by the fork.
"""

import contextlib
import functools
import io
import os
import pickle
import resource
import select
import signal
import tempfile
import traceback
from collections.abc import Callable, Iterator
from pathlib import Path
from unittest import mock

import foreign_graphs
import typer
from inline_worker import Inline

from lstmbench.check.foreign import judge, oracle, roles, sizes
from lstmbench.check.foreign.opened import opened as opening
from lstmbench.cli.foreign import FileOptions, check_one_file
from lstmbench.errors import LstmbenchError
from lstmbench.evaluator import control
from lstmbench.parity import graphs
from lstmbench.runtimes import catalogue
from lstmbench.worker import memory

RUNTIMES = ["onnxruntime-cpu"]
_LIMIT_S, _LOOP_S = 60.0, 1.0
_MOST_LETTERS, _MOST_LINE = 20_000, 1100
_STATUS = {0: "passed", 1: "failed", 3: "not judged"}


def checked(path: Path, against: Path | None, opened: Callable[[], list[str]]) -> str:
    """What came of it, 'passed', 'failed', 'not judged' or 'crashed'; LstmbenchError where it was refused.

    `opened` tells which files were opened that must not be. AssertionError for whatever else comes of it.
    """
    _warm()
    opening(path, evaluable=against is None)  # what is refused there needs no fork
    kind, told = _in_a_fork(lambda: _answer(path, against, opened))
    if kind == "refused":
        raise LstmbenchError(told)
    assert kind != "defect", told
    return kind


@functools.cache
def _warm() -> None:
    """Import what a check imports as it goes: every fork would do it again."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "sound.onnx"
        path.write_bytes(foreign_graphs.lstm_file(foreign_graphs.Sizes(E=1, H=1)).SerializeToString())
        _printed(path, None)


def _answer(path: Path, against: Path | None, opened: Callable[[], list[str]]) -> tuple[str, str]:
    try:
        status, printed = _printed(path, against)
        _demand_readable(printed)
        assert not opened(), f"opened outside the folder: {opened()}"
    except LstmbenchError as error:
        return "refused", str(error)
    except BaseException:  # noqa: BLE001
        return "defect", traceback.format_exc()
    return _STATUS[status], ""


def _printed(path: Path, against: Path | None) -> tuple[int, str]:
    written, status = io.StringIO(), 0
    with _small(), contextlib.redirect_stdout(written), contextlib.redirect_stderr(written):
        try:
            check_one_file([str(path)], FileOptions(RUNTIMES, 1, None, path.parent.parent, against, False, False))
        except typer.Exit as left:
            status = left.exit_code
    return status, written.getvalue()


@contextlib.contextmanager
def _small() -> Iterator[None]:
    """Workers in this process, few sizes, steps and runs, and installed packages looked through once."""
    entries = functools.cache(catalogue.__dict__["_entries"])
    with (
        mock.patch.multiple(judge, GraphWorker=Inline),
        mock.patch.multiple(oracle, GraphWorker=Inline),
        mock.patch.multiple(sizes, DEFAULT_SHAPES=((2, 3),), _ALONE=(1, 3), _EQUAL=(1, 2, 3)),
        mock.patch.multiple(roles, _ROWS=(2, 3, 5, 7, 11), _CALLS=(4, 5, 6, 7, 9, 13)),
        mock.patch.multiple(control, MOST_S=_LOOP_S),
        mock.patch.multiple(graphs, RUNS=1),
        mock.patch.multiple(catalogue, _entries=entries),
    ):
        yield


def _demand_readable(printed: str) -> None:
    assert len(printed) < _MOST_LETTERS, f"{len(printed):,} characters: {printed[:2000]}"
    for line in printed.splitlines():
        assert line.isprintable(), repr(line)
        assert len(line) < _MOST_LINE, line[:2000]


def _in_a_fork(what: Callable[[], tuple[str, str]]) -> tuple[str, str]:
    reads, writes = os.pipe()
    child = os.fork()
    if child == 0:
        _be_alone(writes, what)
    os.close(writes)
    with os.fdopen(reads, "rb") as file:
        ready, _, _ = select.select([file], [], [], _LIMIT_S)
        if not ready:
            os.kill(child, signal.SIGKILL)
        answer = file.read()
    _, status = os.waitpid(child, 0)
    if answer:
        return pickle.loads(answer)
    if not ready:
        return "too long", ""
    assert os.WIFSIGNALED(status), f"left with {status}"
    return "crashed", signal.Signals(os.WTERMSIG(status)).name


def _be_alone(writes: int, what: Callable[[], tuple[str, str]]) -> None:
    """The child: nothing of it may outlive it, nor what an engine prints be taken for ours."""
    try:
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, 1)
        os.dup2(nowhere, 2)
        memory.limit()
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        os.write(writes, pickle.dumps(what()))
    finally:
        os._exit(0)
