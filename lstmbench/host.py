"""What the machine does to a process from outside: a hypervisor that gives its time to others, a clock that falls."""

from typing import NamedTuple

import psutil


class Moment(NamedTuple):
    """Of all processors since the machine started, in seconds."""

    stolen_s: float | None  # by the hypervisor; None where it is not told
    spent_s: float  # in whatever way, idle too


def moment() -> Moment:
    """Now; as fine as the kernel counts, a hundredth of a second."""
    times = psutil.cpu_times()
    spent_s = sum(times) - getattr(times, "guest", 0.0) - getattr(times, "guest_nice", 0.0)  # in user and nice already
    return Moment(getattr(times, "steal", None), spent_s)


def cpu_mhz() -> float | None:
    """The clock of the processors now; None where it is hidden, as in some containers."""
    try:
        frequency = psutil.cpu_freq()
    except (OSError, NotImplementedError):
        return None
    return frequency.current if frequency else None  # type: ignore[redundant-expr] # None in some containers
