"""Which runs a runtime has to get right: several (B, T), whole and in pieces, from a state and from none."""

from collections.abc import Iterator, Sequence
from typing import Literal, NamedTuple

from lstmbench.errors import LstmbenchError

# few steps judge a cell whose long runs are chaotic, long ones judge what piles up
DEFAULT_SHAPES = ((1, 1), (3, 2), (2, 16), (5, 33), (1, 64))


class Case(NamedTuple):
    """One run: `chunks` steps a call, the state carried from one call to the next."""

    batch: int
    time: int
    chunks: tuple[int, ...]
    state: Literal["random", "none"]


def plan(shapes: Sequence[tuple[int, int]], *, bidirectional: bool) -> tuple[Case, ...]:
    """Every case of every shape, in the order in which they are run; LstmbenchError where B or T is below 1."""
    if not shapes:
        raise LstmbenchError("no shapes to check at: give at least one (B, T)")
    for batch, time in shapes:
        if batch < 1 or time < 1:
            raise LstmbenchError(f"cannot check at (B={batch}, T={time}): B and T must be at least 1")
    cases = dict.fromkeys(case for shape in shapes for case in _cases(*shape))
    # the reverse direction starts at the end: cut in pieces, it is another function
    return tuple(case for case in cases if not bidirectional or len(case.chunks) == 1)


def _cases(batch: int, time: int) -> Iterator[Case]:
    whole, one_by_one = (time,), (1,) * time
    yield Case(batch, time, whole, "random")
    yield Case(batch, time, _uneven(time), "random")
    yield Case(batch, time, one_by_one, "random")
    yield Case(batch, time, whole, "none")


def _uneven(time: int) -> tuple[int, ...]:
    """Three lengths, one of them 1: 16 -> 5 + 1 + 10."""
    first = max(1, time // 3)
    return tuple(steps for steps in (first, min(1, time - first), time - first - 1) if steps > 0)
