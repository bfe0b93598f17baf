"""Which runs a runtime has to get right: every step by itself, and the contract of the state.

At each (B, T): whole, in pieces and one by one, which must all give the same, and every step from the reference's own
state. Then, over few steps, where no cell is chaotic yet: no state is a state of zeros; h and c count each without the
other; what was called before leaves nothing behind; rows in another order are answered in that order; what lies behind
a row's length counts for nothing. Once for all: large sums (`lstmbench.check.reach`), every row of the embedding, and
calls of more rows and of more steps.
"""

import functools
from collections.abc import Iterator, Sequence

from msgspec.structs import replace

from lstmbench.check import reach, vocabulary
from lstmbench.check.case import Case
from lstmbench.errors import LstmbenchError
from lstmbench.model import stimulus
from lstmbench.parity import FEW
from lstmbench.records import TIMED, Decoding, ExportedModel, Workload

_SEED = 20_000
DEFAULT_SHAPES = ((1, 1), (3, 2), (2, 16), (5, 33), (1, 64))
LARGE_SHAPES = ((35, 2), (2, 150))  # beyond the widths of kernels, and of what an engine may unroll or keep
_GREEDY = Decoding(prompt=1, temperature=0.0, top_k=0)
_COOL = Decoding(prompt=3, temperature=0.8, top_k=0)
_TOP = Decoding(prompt=2, temperature=1.0, top_k=5)
_ONE = Decoding(prompt=1, temperature=0.8, top_k=0)


def plan(
    exported: ExportedModel, shapes: Sequence[tuple[int, int]] | None = None, workloads: Sequence[Workload] = ()
) -> tuple[Case, ...]:
    """Every case of every shape, large sums, the vocabulary, then every workload as it is timed.

    No shapes stand for the default ones, and the large ones in one call. LstmbenchError where B or T is below 1.
    """
    if shapes is None:
        large = [case for shape in LARGE_SHAPES for case in _large(exported, *shape)]
        return tuple(dict.fromkeys((*plan(exported, DEFAULT_SHAPES), *large, *_timed(exported, workloads))))
    if not shapes:
        raise LstmbenchError("no shapes to check at: give at least one (B, T)")
    for batch, time in shapes:
        if batch < 1 or time < 1:
            raise LstmbenchError(f"cannot check at (B={batch}, T={time}): B and T must be at least 1")
    several = _draws if exported.draws else functools.partial(_cases, steps=exported.steps)
    cases = [case for shape in shapes for case in several(*shape)]
    if exported.record.lengths:
        cases = [ragged for case in cases for ragged in _unequal(case)]
    cases += [_large_sums(exported), *vocabulary.cases(exported), *_timed(exported, workloads)]
    cut = not exported.model.uncut
    return tuple(case for case in dict.fromkeys(cases) if cut or len(case.chunks) == 1 or case.asked == "steps")


def _timed(exported: ExportedModel, workloads: Sequence[Workload]) -> list[Case]:
    """Each as it is called; rows of mixed lengths are whole ones to an export that takes no lengths."""
    fitting = [work for work in workloads if work.fits(exported)]
    ends = [work.lengths if exported.record.lengths else () for work in fitting]
    return [
        Case(work.batch, work.steps, work.chunks, "none", work.decoding, lengths)
        for work, lengths in zip(fitting, ends, strict=True)
    ]


def _large(exported: ExportedModel, batch: int, time: int) -> Iterator[Case]:
    """In one call, or in as few as the graph allows."""
    steps = exported.steps or time
    calls = -(-time // steps)
    decoding = _TOP if exported.draws else None
    case = Case(batch, calls * steps, (steps,) * calls, "random", decoding)
    if calls == 1 or not exported.model.uncut:
        yield from _unequal(case) if exported.record.lengths else [case]


def _large_sums(exported: ExportedModel) -> Case:
    """One call, in which no row ends early."""
    steps = exported.steps or 1
    lengths = (steps,) * reach.ROWS if exported.record.lengths else ()
    return Case(reach.ROWS, steps, (steps,), "large", _ONE if exported.draws else None, lengths)


def _cases(batch: int, time: int, steps: int | None) -> Iterator[Case]:
    """Of a graph that takes any T, or `steps` a call: then T is made up of whole calls."""
    one = steps or 1
    calls, few = -(-time // one), max(1, min(time, FEW) // one) if steps else min(time, FEW)
    for cut in _cuts(calls * one, steps):
        yield Case(batch, calls * one, cut, "random")
    if calls * one > 1:
        yield Case(batch, calls * one, (one,) * calls, "random", asked="steps")
    for cut in _cuts(few * one, steps):
        yield Case(batch, few * one, cut, "random")
    yield from _contract(Case(batch, few * one, _cuts(few * one, steps)[0], "random"))


def _draws(batch: int, time: int) -> Iterator[Case]:
    for decoding in (_GREEDY, _COOL, _TOP):
        yield Case(batch, time, (time,), "random", decoding)
        yield Case(batch, time, (1,) * time, "random", replace(decoding, prompt=1), asked="steps")
    yield Case(batch, time, _uneven(time), "random", _COOL)
    yield Case(batch, time, (1,) * time, "random", _TOP)
    yield Case(batch, time, (time,), "none", TIMED)
    few = min(time, FEW)
    yield from _contract(Case(batch, few, (few,), "random", _ONE))


def _contract(case: Case) -> Iterator[Case]:
    """What the state must obey, at the sizes of a case from a random state."""
    yield case._replace(state="none")
    yield case._replace(state="zeros")
    yield case._replace(state="h alone")
    yield case._replace(state="c alone")
    yield case._replace(asked="again")
    yield case._replace(state="none", asked="again")
    if case.batch > 1:
        yield case._replace(asked="permuted")


def _unequal(case: Case) -> Iterator[Case]:
    """Rows that end within the last call, no later: a call has at least one step of each."""
    last = case.time if case.asked == "steps" else case.chunks[-1]
    drawn = stimulus.lengths(batch=case.batch, time=last, seed=_SEED)
    ragged = case._replace(lengths=tuple((case.time - last + drawn).tolist()))
    yield ragged
    if case.asked == "plain" and case.state == "random" and min(ragged.lengths) < case.time:
        yield ragged._replace(asked="padded")


def _cuts(time: int, steps: int | None) -> list[tuple[int, ...]]:
    """The ways to cut a sequence into calls."""
    if steps:
        return [(steps,) * (time // steps)]
    return list(dict.fromkeys([(time,), _uneven(time), (1,) * time]))


def _uneven(time: int) -> tuple[int, ...]:
    """Three lengths, one of them 1: 16 -> 5 + 1 + 10."""
    first = max(1, time // 3)
    return tuple(steps for steps in (first, min(1, time - first), time - first - 1) if steps > 0)
