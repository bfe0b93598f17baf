"""Which cores a worker may run on: two that take turns on one core share what else is done there."""

import contextlib
import os
from collections.abc import Iterator


@contextlib.contextmanager
def pinned(threads: int, turn: int | None) -> Iterator[None]:
    """What is started meanwhile runs on as many of this process's cores as threads, others in each turn.

    Where a system has no affinity, or `turn` is None, on any.
    """
    if turn is None or not hasattr(os, "sched_setaffinity"):
        yield
        return
    allowed = os.sched_getaffinity(0)
    os.sched_setaffinity(0, _chosen(sorted(allowed), threads, turn))
    try:
        yield
    finally:
        os.sched_setaffinity(0, allowed)


def _chosen(allowed: list[int], threads: int, turn: int) -> set[int]:
    """As many neighbours, from another one on in each turn."""
    return {allowed[(turn * threads + n) % len(allowed)] for n in range(threads)}
