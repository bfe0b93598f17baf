"""Scales for charts: logarithmic where the values span much, ticks that people read, labels that do not collide."""

import math
from collections.abc import Iterable, Sequence
from typing import NamedTuple

_LOG_FROM = 8.0  # a span below this reads better from zero
_ROOM = 1.25  # around the outermost values
_MOST_TICKS = 6


class Axis(NamedTuple):
    """The range of one axis and where its ticks stand."""

    log: bool
    low: float
    high: float
    ticks: tuple[float, ...]

    def part(self, value: float) -> float:
        """Where a value stands between the low end (0) and the high end (1)."""
        if self.log:
            return math.log(value / self.low) / math.log(self.high / self.low)
        return (value - self.low) / (self.high - self.low)

    def value(self, part: float) -> float:
        """The value at a part of the axis."""
        if self.log:
            return self.low * math.exp(part * math.log(self.high / self.low))
        return self.low + part * (self.high - self.low)


def axis(values: Iterable[float]) -> Axis:
    """An axis that holds positive values: from zero, or logarithmic where they span a factor of 8."""
    some = sorted(values)
    if some[-1] / some[0] >= _LOG_FROM:
        return log_axis(some)
    ticks = _linear_ticks(some[-1])
    return Axis(log=False, low=0.0, high=max(ticks[-1], some[-1] * 1.02), ticks=ticks)


def log_axis(values: Iterable[float]) -> Axis:
    """A logarithmic axis, a little longer than its values."""
    some = sorted(values) or [1.0]  # nothing to show: any axis will do
    low, high = some[0] / _ROOM, some[-1] * _ROOM
    return Axis(log=True, low=low, high=high, ticks=_even_ticks(low, high) if high / low < 5 else _log_ticks(low, high))


def measured(values: Iterable[int]) -> Axis:
    """An axis of sizes that were measured: logarithmic, a tick at each."""
    sizes = sorted(set(values))
    return Axis(log=True, low=sizes[0] / _ROOM, high=sizes[-1] * _ROOM, ticks=tuple(map(float, sizes)))


def apart(parts: Sequence[float], gap: float) -> list[float]:
    """Move positions in 0..1 by least squares until they are `gap` apart, and half of that from the ends."""
    order = sorted(range(len(parts)), key=lambda i: parts[i])
    blocks: list[tuple[float, int]] = []  # (mean, how many): pool adjacent violators
    for rank, i in enumerate(order):
        mean, n = parts[i] - rank * gap, 1
        while blocks and blocks[-1][0] >= mean:
            other, m = blocks.pop()
            mean, n = (mean * n + other * m) / (n + m), n + m
        blocks.append((mean, n))
    top = max(gap / 2, 1 - gap * (len(parts) - 0.5))  # of the lowest, that the highest may stay inside
    means = [min(max(mean, gap / 2), top) for mean, n in blocks for _ in range(n)]
    moved = {i: mean + rank * gap for rank, (i, mean) in enumerate(zip(order, means, strict=True))}
    return [moved[i] for i in range(len(parts))]


def _linear_ticks(highest: float) -> tuple[float, ...]:
    step = _step(highest)
    return tuple(step * k for k in range(math.ceil(highest / step) + 1))


def _even_ticks(low: float, high: float) -> tuple[float, ...]:
    """Multiples of one step: a short logarithmic axis is nearly even."""
    step = _step(high - low)
    return tuple(step * k for k in range(math.ceil(low / step), math.floor(high / step) + 1))


def _log_ticks(low: float, high: float) -> tuple[float, ...]:
    """The finest of some customary steps a decade that does not crowd the axis."""
    decades = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    for steps in ((1, 2, 5), (1, 3), (1,)):
        ticks = tuple(step * 10.0**power for power in decades for step in steps if low <= step * 10.0**power <= high)
        if len(ticks) <= _MOST_TICKS:
            break
    return ticks


def _step(span: float) -> float:
    power = 10.0 ** math.floor(math.log10(span))
    return next(s * power for s in (0.2, 0.5, 1, 2) if span / (s * power) <= _MOST_TICKS)
