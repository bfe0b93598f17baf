"""Two stored runs beside each other: what took longer, and what only the day made so.

Runs of two commands took no turns, so a difference between them is one of two sessions too: another load, another
clock, another place in memory. What the sessions make, the pairs show in which nothing was changed - the same file, the
same version of the same runtime, the same code: the controls. Their mean is taken off every ratio, and their spread is
what a changed pair must stand out from, at 99 % for all changed pairs together (Bonferroni). Fewer than six controls
tell nothing.
"""

import math
from collections.abc import Mapping, Sequence
from statistics import fmean, stdev
from typing import NamedTuple

from lstmbench.errors import RecordError
from lstmbench.plain import plain
from lstmbench.records import Workload, without_baseline
from lstmbench.report.raw import Raw
from lstmbench.report.speed import speed_lines
from lstmbench.report.subjects import key
from lstmbench.samples import Case, cases

LEAST_CONTROLS = 6
_MISS = 0.01  # of all changed pairs together


class Same(NamedTuple):
    """What two cases must share."""

    model_sha256: str
    runtime: str
    threads: int
    workload: Workload


class Pair(NamedTuple):
    """The same file, runtime, threads and workload in both runs."""

    before: Case
    after: Case

    @property
    def log_ratio(self) -> float:
        """Of the time after to the time before, by the processes' medians."""
        return _mean(self.after) - _mean(self.before)

    @property
    def changed(self) -> str:
        """What is another in the second run; empty for a control."""
        one, other = self.before.subject, self.after.subject
        if one.runtime_version != other.runtime_version:
            return f"{plain(one.runtime_version)} → {plain(other.runtime_version)}"
        if one.code_sha256 != other.code_sha256:
            return "the adapter's code"
        return "" if one.placement == other.placement else "placement"


class Change(NamedTuple):
    """One pair, judged: the ratio of times without what the sessions made, and the ends of its interval."""

    pair: Pair
    ratio: float
    low: float | None = None  # absent for a control, and where there are too few of them
    high: float | None = None

    @property
    def verdict(self) -> str:
        """What may be said of it."""
        if not self.pair.changed:
            return "control"
        if self.low is None or self.high is None:
            return "cannot tell"
        return "slower" if self.low > 1 else "faster" if self.high < 1 else "tie"


def compare(before: Raw, after: Raw) -> list[Change]:
    """Every pair that both runs timed and vouch for; RecordError, naming what differs, where there is none."""
    one, other = before.machine.fingerprint, after.machine.fingerprint
    if one != other:
        raise RecordError(f"the runs are of two machines, {plain(one)} and {plain(other)}: their times do not compare")
    known, new = _vouched(before), _vouched(after)
    pairs = [Pair(known[key], case) for key, case in new.items() if key in known]
    if not pairs:
        raise RecordError(f"the runs have nothing in common: {_apart(known, new)}")
    return _judged(pairs)


def _judged(pairs: Sequence[Pair]) -> list[Change]:
    controls = [pair.log_ratio for pair in pairs if not pair.changed]
    if len(controls) < LEAST_CONTROLS:
        return [Change(pair, math.exp(pair.log_ratio)) for pair in pairs]
    shift, changed = fmean(controls), len(pairs) - len(controls)
    return [_change(pair, shift, _half_width(pair, controls, changed) if pair.changed else None) for pair in pairs]


def _change(pair: Pair, shift: float, half: float | None) -> Change:
    middle = pair.log_ratio - shift
    if half is None:
        return Change(pair, math.exp(middle))
    return Change(pair, math.exp(middle), math.exp(middle - half), math.exp(middle + half))


def _half_width(pair: Pair, controls: Sequence[float], changed: int) -> float:
    """From the spread of the controls, or of the pair's own processes where that is more."""
    from scipy import stats

    own = sum(stdev(map(math.log, case.medians_s)) ** 2 / len(case.medians_s) for case in pair if len(case.timings) > 1)
    spread = math.sqrt(max(stdev(controls) ** 2 * (1 + 1 / len(controls)), own))
    return float(stats.t.ppf(1 - _MISS / (2 * changed), len(controls) - 1)) * spread


def vouched(run: Raw) -> list[Case]:
    """What a run timed of outputs that passed."""
    good = {line.key for line in speed_lines(run.measurements, run.parity) if not line.refused}
    return [
        case
        for case in cases(run.measurements)
        if case.timings and not case.twin and key(case.subject, case.workload) in good
    ]


def _vouched(run: Raw) -> dict[Same, Case]:
    """The same, by what must be alike in the other run; what it took from a run before it is not its own."""
    return {_same(case): case for case in vouched(run) if without_baseline(case.subject.model) is None}


def _same(case: Case) -> Same:
    subject = case.subject
    return Same(subject.model_sha256, subject.runtime, subject.threads, case.workload)


def _apart(known: Mapping[Same, Case], new: Mapping[Same, Case]) -> str:
    """The first field in which no case of one is like any of the other."""
    if not known or not new:
        return "one of them timed nothing whose output passed"
    names = {"model_sha256": "files", "runtime": "runtimes", "threads": "threads", "workload": "workloads"}
    for field, what in names.items():
        mine, theirs = ({getattr(same, field) for same in some} for some in (known, new))
        if not mine & theirs:
            return f"no {what} of the one are in the other"
    return "no file, runtime, number of threads and workload are together in both"


def _mean(case: Case) -> float:
    return fmean(map(math.log, case.medians_s))
