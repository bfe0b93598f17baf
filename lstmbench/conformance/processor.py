"""How much processor time the threads of a process take, and of all that it started."""

import contextlib
from collections.abc import Iterator
from typing import NamedTuple

import psutil

_LEAST_S = 0.1  # of ticks of 10 ms: less tells nothing


class Used(NamedTuple):
    """Since their start."""

    all_s: float  # threads that have ended too
    by_thread_s: dict[tuple[int, int], float]  # by the numbers of process and thread


def used(pid: int) -> Used:
    """Of a process and its descendants, in steps of the system's clock."""
    with contextlib.suppress(psutil.NoSuchProcess):
        tree = [psutil.Process(pid), *psutil.Process(pid).children(recursive=True)]
        return Used(sum(map(_all_s, tree)), {thread: s for one in tree for thread, s in _threads(one)})
    return Used(0.0, {})


def share_of_others(before: Used, after: Used, *, threads: int) -> float:
    """The part of the time in between that the busiest `threads` did not take; 0 where there was next to none."""
    took_s = after.all_s - before.all_s
    if took_s < _LEAST_S:
        return 0.0
    each_s = sorted((s - before.by_thread_s.get(thread, 0.0) for thread, s in after.by_thread_s.items()), reverse=True)
    return max(0.0, took_s - sum(each_s[:threads])) / took_s


def _all_s(process: psutil.Process) -> float:
    with contextlib.suppress(psutil.NoSuchProcess):
        times = process.cpu_times()
        return float(times.user + times.system)
    return 0.0


def _threads(process: psutil.Process) -> Iterator[tuple[tuple[int, int], float]]:
    with contextlib.suppress(psutil.NoSuchProcess):
        for one in process.threads():
            yield (process.pid, one.id), one.user_time + one.system_time
