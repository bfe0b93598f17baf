"""A machine with other work on it, of our own making."""

import contextlib
import subprocess
import sys
from collections.abc import Iterator

# bursts of 5 to 50 ms with pauses as long between; it ends when its parent does, whatever became of that
_BURSTS = """
import os, random, time
parent = os.getppid()
while os.getppid() == parent:
    end = time.perf_counter() + random.uniform(0.005, 0.05)
    while time.perf_counter() < end:
        pass
    time.sleep(random.uniform(0.005, 0.05))
"""


@contextlib.contextmanager
def loaded(processes: int) -> Iterator[None]:
    """So many processes are busy in bursts meanwhile."""
    started = [subprocess.Popen([sys.executable, "-c", _BURSTS]) for _ in range(processes)]
    try:
        yield
    finally:
        for process in started:
            process.kill()
        for process in started:
            process.wait()
