"""Which runs a runtime has to get right: several (B, T), whole and in pieces, from a state and from none."""

import functools
from collections.abc import Iterator, Sequence
from typing import Literal, NamedTuple

import numpy as np

from lstmbench.arrays import Lengths
from lstmbench.errors import LstmbenchError
from lstmbench.model import stimulus
from lstmbench.records import TIMED, Decoding, ExportedModel, Workload

# few steps judge a cell whose long runs are chaotic, long ones judge what piles up
_SEED = 20_000
DEFAULT_SHAPES = ((1, 1), (3, 2), (2, 16), (5, 33), (1, 64))
_GREEDY = Decoding(prompt=1, temperature=0.0, top_k=0)
_COOL = Decoding(prompt=3, temperature=0.8, top_k=0)
_TOP = Decoding(prompt=2, temperature=1.0, top_k=5)


class Case(NamedTuple):
    """One run: `chunks` steps a call, the state carried from one call to the next.

    Where the graph draws itself, `time` and `chunks` count the tokens that it draws, as `decoding` says.
    """

    batch: int
    time: int
    chunks: tuple[int, ...]
    state: Literal["random", "none"]
    decoding: Decoding | None = None
    lengths: tuple[int, ...] = ()  # of each row, all calls together; () where all end at T

    def ends(self, start: int, steps: int) -> Lengths | None:
        """Lengths (B,) of the call that takes these steps: all of them but in the last, where rows may end."""
        return np.array(self.lengths, np.int32).clip(0, start + steps) - start if self.lengths else None


def plan(
    exported: ExportedModel, shapes: Sequence[tuple[int, int]], workloads: Sequence[Workload] = ()
) -> tuple[Case, ...]:
    """Every case of every shape, then every workload as it is timed; LstmbenchError where B or T is below 1."""
    if not shapes:
        raise LstmbenchError("no shapes to check at: give at least one (B, T)")
    for batch, time in shapes:
        if batch < 1 or time < 1:
            raise LstmbenchError(f"cannot check at (B={batch}, T={time}): B and T must be at least 1")
    several = _draws if exported.draws else functools.partial(_cases, steps=exported.steps)
    cases = [case for shape in shapes for case in several(*shape)]
    if exported.record.lengths:
        cases = [_unequal(case) for case in cases]
    cases += [Case(w.batch, w.time, w.chunks, "none", w.decoding) for w in workloads if w.fits(exported)]
    # the reverse direction starts at the end: cut in pieces, it is another function
    bidirectional = exported.model.bidirectional
    return tuple(case for case in dict.fromkeys(cases) if not bidirectional or len(case.chunks) == 1)


def _cases(batch: int, time: int, steps: int | None) -> Iterator[Case]:
    if steps:  # a call: in pieces of so many, the last one whole
        calls = range(0, time, steps)
        yield Case(batch, steps, (steps,), "random")
        yield Case(batch, steps * len(calls), (steps,) * len(calls), "random")
        yield Case(batch, steps * len(calls), (steps,) * len(calls), "none")
        return
    whole, one_by_one = (time,), (1,) * time
    yield Case(batch, time, whole, "random")
    yield Case(batch, time, _uneven(time), "random")
    yield Case(batch, time, one_by_one, "random")
    yield Case(batch, time, whole, "none")


def _draws(batch: int, time: int) -> Iterator[Case]:
    for decoding in (_GREEDY, _COOL, _TOP):
        yield Case(batch, time, (time,), "random", decoding)
    yield Case(batch, time, _uneven(time), "random", _COOL)
    yield Case(batch, time, (1,) * time, "random", _TOP)
    yield Case(batch, time, (time,), "none", TIMED)


def _unequal(case: Case) -> Case:
    """Rows that end within the last call, no later: a call has at least one step of each."""
    last = case.chunks[-1]
    drawn = stimulus.lengths(batch=case.batch, time=last, seed=_SEED)
    return case._replace(lengths=tuple((case.time - last + drawn).tolist()))


def _uneven(time: int) -> tuple[int, ...]:
    """Three lengths, one of them 1: 16 -> 5 + 1 + 10."""
    first = max(1, time // 3)
    return tuple(steps for steps in (first, min(1, time - first), time - first - 1) if steps > 0)
