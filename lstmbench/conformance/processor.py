"""How many threads of a process compute at a time, and of all that it started.

What counts is whether a thread runs or could run, as Linux tells: other work on the machine then hides no thread that
waits for its core.
"""

import contextlib
import threading
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Self

import psutil

_EVERY_S = 0.003
_LEAST = 20  # looks: fewer tell nothing
_RUNNABLE = "R"  # proc(5), /proc/pid/task/tid/stat, field 3


class Watch:
    """Looks again and again, in a thread of its own, for as long as the context lasts."""

    def __init__(self, pid: int) -> None:
        self._tasks = list(_tasks(pid))
        self._seen: list[int] = []
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._look)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._over.set()
        self._thread.join()

    def share_above(self, threads: int) -> float:
        """In which part of the looks more than so many ran; 0 where the system does not tell."""
        if len(self._seen) < _LEAST:
            return 0.0
        return sum(count > threads for count in self._seen) / len(self._seen)

    def _look(self) -> None:
        while not self._over.wait(_EVERY_S):
            self._seen.append(sum(map(_runnable, self._tasks)))


def _tasks(pid: int) -> Iterator[Path]:
    """The folders of the threads of a process and of its descendants."""
    with contextlib.suppress(psutil.NoSuchProcess):
        process = psutil.Process(pid)
        for one in (process, *process.children(recursive=True)):
            yield Path(f"/proc/{one.pid}/task")


def _runnable(tasks: Path) -> int:
    return sum(_state(stat) == _RUNNABLE for stat in tasks.glob("*/stat"))


def _state(stat: Path) -> str:
    with contextlib.suppress(OSError):  # it has ended
        return stat.read_text(encoding="utf-8", errors="replace").rpartition(") ")[2][:1]
    return ""
