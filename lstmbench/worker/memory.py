"""How much memory this process holds, and the most that it held since a moment; Linux tells, other systems do not."""

import contextlib
import ctypes
import gc
import resource
import sys
from pathlib import Path

import psutil

from lstmbench.errors import WorkerError

_OWN = Path("/proc/self")


class Watch:
    """The baseline: what is resident once what is free was given back; the peak counts from here."""

    def __init__(self) -> None:
        _demand()
        _give_back()
        self.idle_bytes = _status("VmRSS")

    def peak_bytes(self) -> int:
        """The most that was resident at once since the last `restart`, over the baseline."""
        return max(0, _status("VmHWM") - self.idle_bytes)

    def restart(self) -> None:
        """Forget the peak so far; the baseline stays."""
        _give_back()
        (_OWN / "clear_refs").write_text("5")  # proc_pid_clear_refs(5): resets the peak of the resident set


def resident_bytes() -> int:
    """What is resident now; 0 where the system does not tell."""
    return _status("VmRSS") if sys.platform.startswith("linux") else 0


def limit(most_bytes: int | None = None) -> None:
    """Half of what the machine has, or less: engines then tell of it in one line, where the system kills at random."""
    half = psutil.virtual_memory().total // 2
    most = min(half, most_bytes or half)
    _, hard = resource.getrlimit(resource.RLIMIT_DATA)
    with contextlib.suppress(ValueError, OSError):  # a limit below it is there already
        resource.setrlimit(resource.RLIMIT_DATA, (most, hard))


def _status(name: str) -> int:
    for line in (_OWN / "status").read_text().splitlines():
        if line.startswith(f"{name}:"):
            return int(line.split()[1]) * 1024
    raise WorkerError(f"the system does not tell {name} of a process")


def _demand() -> None:
    if not sys.platform.startswith("linux"):
        raise WorkerError("the peak of memory is known on Linux alone")


def _give_back() -> None:
    """Return free heap to the system, so that what is used again counts again."""
    gc.collect()
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)  # glibc's
    if trim is not None:
        trim(0)
