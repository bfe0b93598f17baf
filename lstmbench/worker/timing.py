"""The measuring loops: one call of `score` or `generate` or one step of `decode` a sample, garbage collection off.

Calls too short for the clock are repeated within a sample, which then is their mean.
"""

import contextlib
import gc
import math
import time
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from statistics import median
from typing import Protocol, TypeAlias, cast

import numpy as np

from lstmbench.arrays import Floats, Lengths, State, Tokens
from lstmbench.model import stimulus
from lstmbench.records import TIMED, ModelConfig, Workload
from lstmbench.runtimes import Draws, Holds, Runtime
from lstmbench.worker import calibrate
from lstmbench.worker.messages import Samples
from lstmbench.worker.shapes import demand_answer, demand_finite, demand_tokens

Clock: TypeAlias = Callable[[], float]  # seconds
_SEED = 40_000  # of what is drawn at: no seed that trains or checks
_PATIENCE = 4  # times the warm-up that was asked for, at most
_STEADY = 0.98  # of the time before: what is faster than that is still warming up
_LEAST_OF_A_QUARTER = 2


class Runs(Protocol):
    """What is called; a runtime is one."""

    def run(self, inputs: Tokens | Floats, state: State | None) -> tuple[Floats, State]:
        """Compute once."""
        ...


class _WithLengths:
    """A runtime that is given the same lengths at every call."""

    def __init__(self, runtime: Runtime, lengths: Lengths) -> None:
        self.run = partial(runtime.run, lengths=lengths)
        if holds(runtime):
            self.hold = partial(cast("Holds", runtime).hold, lengths=lengths)


def holds(runtime: object) -> bool:
    """Whether it has a call without copies."""
    return callable(getattr(runtime, "hold", None))


def with_lengths(runtime: Runtime, lengths: Lengths | None) -> Runs:
    """The runtime, bound to lengths (B,) if there are any: an adapter may know nothing of them."""
    return runtime if lengths is None else _WithLengths(runtime, lengths)


class Work(Protocol):
    """Something to repeat: `step` is timed, `settle` is not."""

    def step(self) -> None:
        """Do what one sample times."""

    def settle(self) -> None:
        """Check the answer and get ready for the next step."""


class Score:
    """One call on inputs (B, T) or (B, T, E) from zero state."""

    def __init__(self, runtime: Runs, model: ModelConfig, workload: Workload, inputs: Tokens | Floats) -> None:
        self._runtime, self._model, self._workload, self._inputs = runtime, model, workload, inputs

    def step(self) -> None:
        """Call it."""
        self._answer = self._runtime.run(self._inputs, None)

    def settle(self) -> None:
        """Check what it answered."""
        answer = demand_answer(self._model, self._answer, batch=self._workload.batch, time=self._workload.time)
        demand_finite(self._model, answer)


class Decode:
    """Token by token: the argmax of the last logits fed back, the state carried, from zero again after T steps.

    The inputs' first column (B, 1) is each row's first token.
    """

    def __init__(self, runtime: Runs, model: ModelConfig, workload: Workload, inputs: Tokens | Floats) -> None:
        self._runtime, self._model, self._workload = runtime, model, workload
        self._first = inputs[:, :1].copy()
        self._tokens, self._steps = self._first, 0
        self._state: State | None = None

    def step(self) -> None:
        """One token a row: call and argmax."""
        self._answer = self._runtime.run(self._tokens, self._state)
        self._tokens = self.next_tokens()

    def next_tokens(self) -> Tokens:
        """The argmax of the last answer, (B, 1)."""
        tokens: Tokens = self._answer[0][:, -1].argmax(axis=-1)[:, None]  # (B, V) -> (B, 1)
        return tokens

    def settle(self) -> None:
        """Check what it answered; carry the state, or start again."""
        answer = demand_answer(self._model, self._answer, batch=self._workload.batch, time=1)
        demand_finite(self._model, answer)
        self._state = answer[1]
        self._steps += 1
        if self._steps == self._workload.time:
            self._tokens, self._state, self._steps = self._first, None, 0


class Generate:
    """One call that draws T tokens a row, as in TIMED, from zero state and the inputs' first column (B, 1)."""

    def __init__(self, runtime: Runs, model: ModelConfig, workload: Workload, inputs: Tokens | Floats) -> None:
        self._runtime, self._model, self._workload = cast("Draws", runtime), model, workload
        self._first = inputs[:, :1].astype(np.int64)
        self._uniform = stimulus.uniform(batch=workload.batch, time=workload.time, seed=_SEED)

    def step(self) -> None:
        """Call it."""
        self._answer = self._runtime.generate(
            self._first, None, self._uniform, temperature=TIMED.temperature, top_k=TIMED.top_k
        )

    def settle(self) -> None:
        """Check what it answered."""
        work = self._workload
        answer = demand_tokens(self._model, self._answer, batch=work.batch, count=work.time)
        demand_finite(self._model, answer)


def measure(  # noqa: PLR0913 (what to repeat, by which clock, and what ends it)
    make: Callable[[], Work],
    *,
    clock: Clock,
    warmup_s: float,
    budget_s: float,
    min_samples: int,
    max_samples: int,
    repeats: int = 0,
) -> Samples:
    """Warm up for at least `warmup_s` and one step, and until steps get faster no longer; then sample, afresh.

    For `budget_s` within the counts. A warm-up of no time is one step, which tells nothing of steadiness. A sample is
    the mean of so many `repeats` of a step; 0 for as many as a step that short for the clock needs, mostly one.
    """
    with no_garbage_collection():
        own_s = calibrate.overhead_s(clock)
        warmup, steady = _warm_up(make(), clock, warmup_s)
        each = repeats or calibrate.repeats(warmup, own_s)
        work, began_s, cpu_s = make(), clock(), time.process_time()
        start_s, sample_s = _repeat(work, clock, budget_s=budget_s, least=min_samples, most=max_samples, each=each)
        cpu_s, wall_s = time.process_time() - cpu_s, clock() - began_s
    return Samples(
        warmup_s=tuple(warmup),
        start_s=tuple(start_s),
        sample_s=tuple(sample_s),
        token_s=tuple(getattr(work, "token_s", ())),
        repeats=each,
        overhead_s=own_s,
        steady=steady,
        wall_s=wall_s,
        cpu_s=cpu_s,
    )


def _warm_up(work: Work, clock: Clock, warmup_s: float) -> tuple[list[float], bool | None]:
    """Repeat for `warmup_s`, up to _PATIENCE times, until it is steady -> durations, and whether it became so."""
    took_s: list[float] = []
    for _ in range(_PATIENCE):
        took_s += _repeat(work, clock, budget_s=warmup_s, least=1, most=math.inf)[1]
        steady = is_steady(took_s)
        if steady is not False:
            break
    return took_s, steady


def is_steady(took_s: Sequence[float]) -> bool | None:
    """Whether the last quarter is no faster than the quarter before, by medians; None below eight durations."""
    quarter = len(took_s) // 4
    if quarter < _LEAST_OF_A_QUARTER:
        return None
    last, before = median(took_s[-quarter:]), median(took_s[-2 * quarter : -quarter])
    return last >= _STEADY * before


def _repeat(
    work: Work, clock: Clock, *, budget_s: float, least: int, most: float, each: int = 1
) -> tuple[list[float], list[float]]:
    """When each sample started and how long a step of it took, of `each` steps the mean."""
    start_s: list[float] = []
    took_s: list[float] = []
    step = work.step if each == 1 else partial(_steps, work.step, each)
    begin_s = clock()
    while len(took_s) < least or (len(took_s) < most and clock() - begin_s < budget_s):
        before_s = clock()
        step()
        took_s.append((clock() - before_s) / each)
        start_s.append(before_s)
        work.settle()
    return start_s, took_s


def _steps(step: Callable[[], None], each: int) -> None:
    for _ in range(each):
        step()


@contextlib.contextmanager
def no_garbage_collection() -> Iterator[None]:
    """Collect now, and not again before the end."""
    was_on = gc.isenabled()
    gc.collect()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()
