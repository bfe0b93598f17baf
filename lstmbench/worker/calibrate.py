"""How often a call is repeated between two looks at the clock, so that these are next to nothing of what they tell."""

import math
import time
from collections.abc import Callable, Sequence
from statistics import median

_LOOKS = 101
_SHARE = 0.01  # of a sample, at most, that is the engine's own part and the clock's resolution
_TICK_S = time.get_clock_info("perf_counter").resolution


class _Empty:
    """A step that does nothing: what is timed of it is the engine."""

    def step(self) -> None:
        """Return."""


def overhead_s(clock: Callable[[], float]) -> float:
    """The engine's own part of a sample: two looks at the clock around an empty step, the median of many."""
    work, took_s = _Empty(), []
    for _ in range(_LOOKS):
        before_s = clock()
        work.step()
        took_s.append(clock() - before_s)
    return max(0.0, median(took_s))


def repeats(call_s: Sequence[float], own_s: float) -> int:
    """Calls of one sample, for calls that took so long in the warm-up; 1 where a single one is long enough."""
    return max(1, math.ceil(max(own_s, _TICK_S) / _SHARE / max(median(call_s), _TICK_S)))
