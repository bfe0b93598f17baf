"""The promises of the contract: each a function of a subject -> in one line how it is broken; empty where it is kept.

What a worker raises breaks the promise that it was asked for too.
"""

import contextlib
from collections.abc import Callable
from functools import partial
from statistics import mean, median

import numpy as np
from msgspec.structs import replace

from lstmbench.arrays import Floats, Tokens
from lstmbench.conformance import processor
from lstmbench.conformance.subject import Subject, in_pieces, question
from lstmbench.errors import CrashError, LstmbenchError
from lstmbench.model import stimulus
from lstmbench.records import Region, Workload, strays
from lstmbench.worker import Worker

_SHAPES = ((1, 1), (3, 5), (2, 1), (1, 8))  # (B, T), larger and smaller than the call before
_BUSY = Workload(kind="score", batch=64, time=64)  # large enough to be shared, and long beside what surrounds a call
_BUSY_S = 0.5
_WINDOWS = 8  # of that time: V8 compiles on threads of its own for the first few, on a busy machine
_HELD = Workload(kind="decode", batch=2, time=3, region="compute")
_REGIONS: tuple[Region, ...] = ("end-to-end", "compute")
_PART = 0.1  # of a call's time, copies and all
_SHARE = 0.3  # of the time, in which more threads may run: who hands a call over may still wait for a core


def loads(subject: Subject) -> str:
    """It loads a sound export, and tells the version of its engine."""
    with subject.worker() as worker:
        return "" if worker.info.version.strip() else "its version is empty: rows could not be told apart"


def shapes(subject: Subject) -> str:
    """Any B and T, in any order, in float32 of the shapes of the contract, each right."""
    with subject.worker() as worker:
        for batch, time in _SHAPES:
            asked = question(subject.exported, batch=batch, time=time)
            if wrong := asked.wrong(*worker.run(asked.inputs)):
                return f"at (B={batch}, T={time}) {wrong}"
    return ""


def state(subject: Subject) -> str:
    """It starts from the state that it is given, carries it from call to call, and keeps none of its own."""
    asked, fresh = (question(subject.exported, batch=2, time=6, carried=carried) for carried in (True, False))
    with subject.worker() as worker:
        if wrong := asked.wrong(*worker.run(asked.inputs, asked.state)):
            return f"from a state that it was given {wrong}"
        if wrong := asked.wrong(*in_pieces(worker, asked, 2, 1, 3)):
            return f"in three calls that carry the state {wrong}"
        if wrong := fresh.wrong(*worker.run(fresh.inputs)):
            return f"without a state, after calls with one, {wrong}"
    return ""


def lengths(subject: Subject) -> str:
    """It heeds the length of each row, or says that it takes none by not having the argument."""
    ends = np.array([4, 1, 6], np.int32)
    worker = _with_lengths(subject)
    if worker is None:
        return ""
    with worker:
        asked = question(subject.with_lengths, batch=3, time=6, carried=True, lengths=ends)
        wrong = asked.wrong(*worker.run(asked.inputs, asked.state, lengths=ends))
        return wrong and f"with rows of 4, 1 and 6 steps {wrong}"


def hold(subject: Subject) -> str:
    """What it holds computes what the call does, from any state, in `compute`; or it has no `hold`."""
    inputs = stimulus.inputs(subject.exported.model, batch=_BUSY.batch, time=_BUSY.time, seed=1)
    with subject.worker() as worker:
        try:
            for work in (replace(_BUSY, batch=2, region="compute"), _HELD):
                _measured(worker, work, inputs[:2])
        except LstmbenchError as error:
            if "has no 'hold'" in str(error):
                return ""
            raise
        whole, alone = (_measured(worker, replace(_BUSY, region=region), inputs) for region in _REGIONS)
    if alone < _PART * whole:
        return f"'compute' takes {alone / whole:.1%} of a call's time: that is not where it computes, or not to the end"
    return _holds_lengths(subject, inputs[:2])


def carry(subject: Subject) -> str:
    """What goes on from call to call where it computes is what the state handed over gives; or it has no `carry`."""
    rows = ((2, True), (2, False), (3, True), (2, True))  # B, and whether from a state or from zeros
    asked = [question(subject.exported, batch=batch, time=7, carried=carried) for batch, carried in rows]
    with subject.worker() as worker:
        for one in asked:
            if wrong := one.wrong(*in_pieces(worker, one, 1, 1, 1, 3, 1)):
                return f"in calls that go on from each other {wrong}"
    return ""


def threads(subject: Subject) -> str:
    """It computes on one thread where it is given one, and as right on two."""
    inputs = stimulus.inputs(subject.exported.model, batch=_BUSY.batch, time=_BUSY.time, seed=1)
    with subject.worker() as worker:
        work = partial(worker.measure, _BUSY, inputs, warmup_s=0, budget_s=_BUSY_S, max_samples=10**6)
        work()  # what is compiled at the first calls may be compiled on any thread
        if share := _more_than_one(worker.pid, work):
            return f"given 1 thread, more computed in {share:.0%} of the time"
    asked = question(subject.exported, batch=2, time=6)
    with subject.worker(threads=2) as worker:
        wrong = asked.wrong(*worker.run(asked.inputs))
        return wrong and f"given 2 threads {wrong}"


def _more_than_one(pid: int, work: Callable[[], object]) -> float:
    """In which part of the time more than one thread ran; 0 once one did, in two looks in a row."""
    shares = []
    for _ in range(_WINDOWS):
        with processor.Watch(pid) as watch:
            work()
        shares.append(watch.share_above(1))
        if len(shares) > 1 and max(shares[-2:]) <= _SHARE:
            return 0.0
    return mean(shares)


def errors(subject: Subject) -> str:
    """Files that cannot be read are an exception at load, and not a crash."""
    with contextlib.suppress(LstmbenchError):
        try:
            worker = Worker(subject.runtime, subject.damaged, timeout_s=subject.timeout_s)
        except CrashError as error:
            return f"a damaged export is no exception: {error}"
        with worker:
            return "it loads a damaged export without a word"
    return ""


def placement(subject: Subject) -> str:
    """What it tells of nodes names the provider that it promises, and that one ran all that recurs."""
    with subject.worker() as worker:
        info = worker.info
    others = {part.provider for part in info.placement}
    if others and not info.provider:
        return f"it tells of nodes on {', '.join(sorted(others))}, and has no attribute 'provider' to hold them to"
    if where := strays(info.provider, info.placement):
        return f"it promises {info.provider}; recurrent nodes ran on {', '.join(where)}"
    return ""


def closing(subject: Subject) -> str:
    """Its process ends by itself once it is closed, with status 0, and so does all that it started."""
    with subject.worker() as worker:
        worker.run(stimulus.inputs(subject.exported.model, batch=1, time=1, seed=1))
        return worker.dismiss()


def _holds_lengths(subject: Subject, inputs: Tokens | Floats) -> str:
    """The same of rows that end, where it takes lengths at all."""
    if (worker := _with_lengths(subject)) is not None:
        with worker:
            _measured(worker, replace(_BUSY, batch=2, shortest=9, region="compute"), inputs)
    return ""


def _with_lengths(subject: Subject) -> Worker | None:
    """A worker whose rows may end; None where the adapter takes no lengths."""
    try:
        return Worker(subject.runtime, subject.with_lengths, timeout_s=subject.timeout_s)
    except LstmbenchError as error:
        if "takes no lengths" in str(error):
            return None
        raise


def _measured(worker: Worker, work: Workload, inputs: Tokens | Floats) -> float:
    """Seconds of a call, as the engine times it and looks at what it gives."""
    return median(worker.measure(work, inputs, warmup_s=0, budget_s=0, min_samples=5, max_samples=5).sample_s)


EVERY = (loads, shapes, state, lengths, hold, carry, threads, errors, placement, closing)
