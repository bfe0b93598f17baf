"""Does a runtime start at all, and which version is it? Without a model, in a process of its own."""

import time
from pathlib import Path
from typing import NamedTuple

from lstmbench.environments import Chosen, choose, wanted
from lstmbench.worker.messages import Meet, Met
from lstmbench.worker.talk import Talk


class Started(NamedTuple):
    """What its process told, and how long that took from nothing."""

    met: Met
    start_s: float


def meet(runtime: str, *, python: Path | None = None, timeout_s: float = 120) -> Started:
    """Import the adapter of `runtime`, on the Python that runs it or on this one; LstmbenchError if it does not."""
    chosen = Chosen(wanted(runtime).name, python=python) if python else choose(runtime)
    begin_s = time.perf_counter()
    with Talk(runtime, threads=1, timeout_s=timeout_s, chosen=chosen) as talk:
        met = talk.ask(Meet(runtime=chosen.name), Met, doing="starting", timeout_s=timeout_s)
        return Started(met, time.perf_counter() - begin_s)
