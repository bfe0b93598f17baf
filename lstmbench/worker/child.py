"""Starting and ending the process, and finding out what it died of."""

import contextlib
import os
import re
import signal
import socket
import subprocess
import sys
import tempfile
from pathlib import Path

import psutil

from lstmbench.errors import WorkerError

_THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
_COLOUR = re.compile(r"\x1b\[[0-9;]*m")
_TAIL_BYTES, _LINE_CHARACTERS = 8192, 300


class Child:
    """A started process with its channel; what it writes to stdout and stderr is kept in a temporary file."""

    def __init__(self, *, threads: int, python: Path | None = None) -> None:
        try:
            with contextlib.ExitStack() as opened:
                self._written = opened.enter_context(tempfile.TemporaryFile())
                self.channel, its_end = socket.socketpair()
                opened.enter_context(self.channel)
                with its_end:
                    self._process = self._start(its_end.fileno(), threads, python)
                opened.pop_all()  # the process runs: both stay open until it is killed
        except OSError as error:
            raise WorkerError(f"cannot start a worker process: {error.strerror or error}") from error

    def _start(self, descriptor: int, threads: int, python: Path | None) -> subprocess.Popen[bytes]:
        return subprocess.Popen(
            [*(_command() if python is None else _command_of(python)), str(descriptor)],
            stdin=subprocess.DEVNULL,
            stdout=self._written,  # an engine may print what it likes: the channel is another descriptor
            stderr=self._written,
            pass_fds=[descriptor],
            env=os.environ | dict.fromkeys(_THREADS, str(threads)),  # libraries read them once, when they are loaded
            start_new_session=True,  # Ctrl-C in the terminal is for the parent, which ends the child
        )

    def wait_for_end(self, timeout_s: float) -> None:
        """Wait until the child has left its channel; TimeoutError if it does not."""
        self.channel.settimeout(timeout_s)
        with contextlib.suppress(ConnectionError):
            while self.channel.recv(4096):
                pass

    @property
    def pid(self) -> int:
        """The number of the process."""
        return self._process.pid

    def descendants(self) -> list[psutil.Process]:
        """What it has started, and what those have."""
        with contextlib.suppress(psutil.NoSuchProcess):
            return psutil.Process(self.pid).children(recursive=True)
        return []

    def leave(self, timeout_s: float, started: list[psutil.Process]) -> str:
        """Wait until it has ended, and all that it started -> in one line what was wrong with that."""
        try:
            status = self._process.wait(timeout_s)
        except subprocess.TimeoutExpired:
            return f"its process had not ended {timeout_s:g} s after it was closed"
        _, left = psutil.wait_procs(started, timeout=1)
        if names := sorted(filter(None, map(_name_of_living, left))):
            return f"it left {', '.join(names)} running"
        return "" if status == 0 else f"its process {_ended(status)} when it was closed"

    def kill(self) -> str:
        """End the child and all that it started; return how it ended: 'crashed (SIGSEGV)', 'exited (status 0)'.

        A process that is already ending keeps the status that it ends with.
        """
        if self._process.returncode is None:  # not yet reaped: the number is still its own
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(self._process.pid, signal.SIGKILL)
        status = self._process.wait()
        self.channel.close()
        return _ended(status)

    def last_line(self) -> str:
        """The last line that the child wrote, closing the file it is in; empty if there is none."""
        with self._written as file:
            file.seek(max(0, file.seek(0, os.SEEK_END) - _TAIL_BYTES))
            text = _COLOUR.sub("", file.read().decode(errors="replace"))
        lines = [line.strip() for line in text.splitlines() if line.strip()]
        return "".join(filter(str.isprintable, lines[-1]))[:_LINE_CHARACTERS] if lines else ""


def _ended(status: int) -> str:
    if status >= 0:
        return f"exited (status {status})"
    if status == -signal.SIGKILL:
        return "was killed (SIGKILL), perhaps for want of memory"
    return f"crashed ({signal.Signals(-status).name})"


def _name_of_living(process: psutil.Process) -> str:
    with contextlib.suppress(psutil.NoSuchProcess):
        return "" if process.status() == psutil.STATUS_ZOMBIE else str(process.name())
    return ""


def _command() -> list[str]:
    return [sys.executable, *_safe_path(), "-m", "lstmbench.worker"]


def _command_of(python: Path) -> list[str]:
    """Of an environment: isolated, so that no variable nor folder of ours puts other packages before its own."""
    return [str(python), "-I", str(Path(__file__).with_name("abroad.py"))]


def _safe_path() -> list[str]:
    """Keep the current folder off the child's path unless it is on ours: a numpy.py there is not the one we mean."""
    return [] if {"", str(Path.cwd())} & set(sys.path) else ["-P"]
