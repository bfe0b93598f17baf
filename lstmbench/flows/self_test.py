"""The engine against workloads of known cost, on this machine: what it says of them must be so."""

import math
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from statistics import median
from typing import NamedTuple

from lstmbench import disk, machine, runfolder, samples
from lstmbench.bench import Effort, bench, grid
from lstmbench.errors import LstmbenchError
from lstmbench.flows.known_costs import EVERY, HELD_BYTES, QUICK_S, SLOWER, SPIN_S, STALL_S
from lstmbench.flows.pretended import MODEL, pretended
from lstmbench.model import stimulus
from lstmbench.records import Clearance, Measurement, Subject, Weight, Workload
from lstmbench.samples import Case
from lstmbench.worker import Samples, Worker

_EFFORT = Effort(processes=8, rounds=2, warmup_s=0.02, budget_s=3.0)
_CALL = grid(batches=(1,), times=(1,), kinds=("score",))
_SPIN, _MEMORY, _OVERHEAD_S, _IDLE, _ALONE = 0.01, 0.03, 1e-6, 0.01, 0.9  # what the promises allow
_TOKENS = 5
_NAMES = ("Spin", "Slower", "Stalls", "Holds", "Nothing")  # the first has a twin


class Finding(NamedTuple):
    """What was planted, what the engine made of it, and whether that is right."""

    what: str
    planted: str
    found: str
    passed: bool


def self_test(run: Path, *, progress: Callable[[str], None]) -> list[Finding]:
    """Time and weigh what costs are known of, into an empty folder `run`; about half a minute.

    LstmbenchError if it holds anything.
    """
    if run.is_dir() and any(run.iterdir()):
        raise LstmbenchError(f"{run} holds files already: give the self-test a folder of its own")
    clearances = [pretended(name) for name in _NAMES]
    rows = bench(clearances, _CALL, run=run, effort=_EFFORT, began=machine.observe().before, progress=progress)
    weights = disk.read_journal(run / runfolder.MEMORY, Weight)
    progress("watching the parent")
    return [*_findings(rows, weights), _parent(clearances[0]), _request(clearances[0])]


def _findings(rows: list[Measurement], weights: list[Weight]) -> Iterator[Finding]:
    """One a promise of the engine."""
    cases = {_name(case.subject): case for case in samples.cases(rows) if not case.twin}
    (twin,) = (case for case in samples.cases(rows) if case.twin)
    lost = [case.refused for case in (*cases.values(), twin) if case.refused]
    if lost:
        yield Finding("workers", "none fails", lost[0], passed=False)
        return
    yield _spin(cases["Spin"])
    yield _twice(cases["Spin"], twin)
    yield _slower(cases["Slower"], cases["Spin"])
    yield _stall(cases["Stalls"])
    yield _memory(weights)
    yield _overhead(cases["Nothing"])
    yield _undisturbed(cases["Spin"])


def _spin(case: Case) -> Finding:
    found_s = median(case.medians_s)
    passed = abs(found_s / SPIN_S - 1) < _SPIN
    return Finding("a call of known length", f"{SPIN_S * 1e3:.3f} ms, within 1 %", f"{found_s * 1e3:.3f} ms", passed)


def _twice(one: Case, twin: Case) -> Finding:
    seen = samples.difference(twin, one)
    assert seen is not None, "they took turns in eight processes"
    found = f"{seen.ratio - 1:+.2%} ({seen.low - 1:+.2%} to {seen.high - 1:+.2%})"
    return Finding("the same call twice", "a tie", found, passed=not seen.told)


def _slower(slower: Case, one: Case) -> Finding:
    seen = samples.difference(slower, one)
    assert seen is not None, "they took turns in eight processes"
    found = f"{seen.ratio - 1:+.2%} ({seen.low - 1:+.2%} to {seen.high - 1:+.2%})"
    passed = seen.told and abs(seen.ratio - 1 - SLOWER) < _SPIN
    return Finding("a slower call", f"{SLOWER:+.0%}, told", found, passed)


def _stall(case: Case) -> Finding:
    """One call in 25 is slow: the 99th percentile must show it, the median must not."""
    high_s, middle_s = samples.quantile_s(case.parts_s, 0.99), samples.quantile_s(case.parts_s, 0.5)
    what, planted = f"a stall in one of {EVERY} calls", f"p99 over {STALL_S * 1e3:.0f} ms, not in p50"
    if high_s is None or middle_s is None:
        return Finding(what, planted, "n/a: too few independent samples", passed=False)
    found = f"p50 {middle_s * 1e3:.2f} ms, p99 {high_s * 1e3:.2f} ms"
    return Finding(what, planted, found, passed=high_s >= STALL_S and middle_s < 2 * QUICK_S)


def _memory(weights: list[Weight]) -> Finding:
    planted = f"{HELD_BYTES / 2**20:.0f} MiB, within 3 %"
    peaks = [row.peak_bytes for row in weights if _name(row.subject) == "Holds" and not row.refused]
    if not peaks:
        return Finding("memory held in a call", planted, "not known on this system", passed=False)
    return Finding(
        "memory held in a call", planted, f"{peaks[0] / 2**20:.1f} MiB", abs(peaks[0] / HELD_BYTES - 1) < _MEMORY
    )


def _overhead(case: Case) -> Finding:
    found_s = median(timing.overhead_s or math.inf for timing in case.timings)
    what, found = "the engine's own part of a sample", f"{found_s * 1e6:.2f} µs, of {case.repeats:,} empty calls"
    return Finding(what, "under 1 µs, next to nothing", found, passed=_is_small(case, found_s))


def _is_small(case: Case, own_s: float) -> bool:
    """Whether it is under a microsecond, and of samples, even of a call that does nothing, next to nothing."""
    return own_s < _OVERHEAD_S and own_s / case.repeats < 2 * _SPIN * median(case.medians_s)


def _undisturbed(case: Case) -> Finding:
    """Where this fails the others may, for no fault of the engine."""
    share = sum(timing.cpu_s for timing in case.timings) / sum(timing.wall_s for timing in case.timings)
    return Finding("the processor for itself", "over 90 % of the time", f"{share:.0%}", passed=share > _ALONE)


def _parent(clearance: Clearance) -> Finding:
    """While a worker measures, the parent only waits."""
    with Worker(clearance.subject.runtime, clearance.exported) as worker:
        inputs = stimulus.inputs(MODEL, batch=1, time=1, seed=0)
        began_s, cpu_s = time.monotonic(), time.process_time()
        worker.measure(_CALL[0], inputs, warmup_s=0, budget_s=1.0, max_samples=10**6)
        share = (time.process_time() - cpu_s) / (time.monotonic() - began_s)
    return Finding("the parent's processor", "under 1 %", f"{share:.2%}", passed=share < _IDLE)


def _request(clearance: Clearance) -> Finding:
    """Of every request the first token and the others take all of its time, and each what a call takes."""
    work = Workload(kind="request", batch=1, time=1, new=_TOKENS)
    with Worker(clearance.subject.runtime, clearance.exported) as worker:
        inputs = stimulus.inputs(MODEL, batch=1, time=1, seed=0)
        return _adding_up(worker.measure(work, inputs, warmup_s=0, budget_s=0.5, max_samples=10**4))


def _adding_up(taken: Samples) -> Finding:
    tokens = [taken.token_s[n : n + _TOKENS] for n in range(0, len(taken.token_s), _TOKENS)]
    off = median(1 - sum(part) / whole for part, whole in zip(tokens, taken.sample_s, strict=True))
    each = median(taken.token_s) / SPIN_S - 1
    found = f"{off:.2%} short of it, a token {each:+.2%}"
    planted = f"{_TOKENS} calls, within 1 %"
    return Finding("the tokens of a request", planted, found, passed=off < _SPIN and abs(each) < _SPIN)


def _name(subject: Subject) -> str:
    return subject.runtime.partition(":")[2]
