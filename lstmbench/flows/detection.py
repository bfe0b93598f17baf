"""How often a difference is called one that is none, and how often one that was planted is found.

Calls of known length, timed as `bench --baseline` times: a baseline, the very same once more, and two that are slower
by two and by five per cent; on the machine as it is, and with processes of our own loading it. Each comparison is
judged by itself. Beside it stand the rules of other tools, on the same samples.
"""

from collections.abc import Callable, Iterator, Sequence
from itertools import chain
from pathlib import Path
from statistics import median

import msgspec

from lstmbench import machine, samples
from lstmbench.bench import Effort, bench, grid
from lstmbench.flows.loaded import loaded
from lstmbench.flows.other_rules import RULES
from lstmbench.flows.pretended import pretended
from lstmbench.records import Measurement, Workload
from lstmbench.report import render_detection
from lstmbench.report.baseline import judged
from lstmbench.report.detection import PLANTED, Rate

OURS = "lstmbench: bench --baseline"
ALL_RULES = (OURS, *RULES)
SHAPES = 50  # comparisons of a run: they share its processes, as the workloads of a run do
EFFORT = Effort(processes=12, rounds=30, warmup_s=0.003, budget_s=0.1, weigh=False, in_turn=True)
_CALLS = len(PLANTED) * len(ALL_RULES)  # of one comparison


def study(out: Path, comparisons: int, *, progress: Callable[[str], None]) -> list[Rate]:
    """Compare so many times, quiet and loaded; a run's folder each 50, so that the same command goes on.

    What was found is drawn in `out`: `detection.md`, `detection.csv` and a chart.
    """
    here = machine.observe()
    rates = list[Rate]()
    for busy in (False, True):
        calls, cost_s = list[tuple[str, int, str]](), list[float]()
        with loaded(here.cores_usable if busy else 0):
            for n, count in enumerate(_runs(comparisons)):
                name = f"{'loaded' if busy else 'quiet'}-{n:03}"
                progress(f"{len(calls) // _CALLS:,} of {comparisons:,} comparisons, {'loaded' if busy else 'quiet'}")
                rows = _timed(out / name, count)
                calls += chain.from_iterable(_calls(rows, work) for work in _shapes(count))
                cost_s += [_cost_s(rows, work) for work in _shapes(count)]
        rates += _rates(calls, comparisons, median(cost_s), busy=busy)
    render_detection(out, rates, machine.after(here))
    return rates


def _runs(comparisons: int) -> list[int]:
    whole, rest = divmod(comparisons, SHAPES)
    return [SHAPES] * whole + [rest] * bool(rest)


def _shapes(count: int) -> Sequence[Workload]:
    return grid(batches=(1,), times=range(1, count + 1), kinds=("score",))


def _timed(run: Path, count: int) -> list[Measurement]:
    clearances = [pretended("Planted", "from-0", baseline=True), *(pretended("Planted", f"by-{n}") for n in PLANTED)]
    seed = int(run.name[-3:])  # another order in each run
    effort = msgspec.structs.replace(EFFORT, seed=seed)
    began = machine.observe().before
    return bench(clearances, _shapes(count), run=run, effort=effort, began=began, progress=lambda _: None)


def _calls(rows: Sequence[Measurement], work: Workload) -> Iterator[tuple[str, int, str]]:
    """What each rule says of each planted difference at one shape: rule, per cent, verdict."""
    known = samples.cases(row for row in rows if row.workload == work)
    by_name = {case.subject.model.split("/")[-2]: case for case in known if not case.twin}
    base = by_name["from-0"]
    for planted in PLANTED:
        case = by_name[f"by-{planted}"]
        name = f"baseline/{case.subject.model}"
        renamed = base._replace(subject=msgspec.structs.replace(base.subject, model=name))
        (change,) = judged([renamed, case], known)
        yield OURS, planted, change.verdict
        before, after = ([s for part in one.parts_s for s in part] for one in (base, case))
        for rule, says in RULES.items():
            yield rule, planted, says(before, after)


def _cost_s(rows: Sequence[Measurement], work: Workload) -> float:
    """Of a comparison of two: what one case was called for in all its processes, twice."""
    timings = [row.timing for row in rows if row.workload == work and row.timing]
    spent_s = sum(timing.wall_s + sum(timing.warmup_s) for timing in timings)
    return 2 * spent_s / len({(row.subject.model, row.twin) for row in rows})


def _rates(calls: Sequence[tuple[str, int, str]], comparisons: int, cost_s: float, *, busy: bool) -> list[Rate]:
    """Of nothing planted every call counts, of a planted slowdown the right one."""
    found = []
    for rule in ALL_RULES:
        for planted in PLANTED:
            right = ("slower",) if planted else ("slower", "faster")
            called = sum(call[:2] == (rule, planted) and call[2] in right for call in calls)
            found.append(Rate(busy, rule, planted, called, comparisons, cost_s))
    return found
