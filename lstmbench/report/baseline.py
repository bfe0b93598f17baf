"""A run that timed an earlier one's exports again, in turn with its own: what got slower or faster, and by how much.

Both took the same rounds of the same passes, so what befell the machine befell both. The intervals of all pairs hold
together at 99 %, and no difference is called one that is smaller than the same thing twice showed in that workload.
"""

from collections.abc import Collection, Sequence
from typing import Literal, NamedTuple, TypeAlias

from lstmbench import samples
from lstmbench.records import ChangeRow, Workload, without_baseline
from lstmbench.report.comparison import vouched
from lstmbench.report.noise import noise
from lstmbench.report.raw import Raw
from lstmbench.samples import Case, Difference

MARGIN = 0.05  # no difference as large as that: what "tie" says where no limit is given


Verdict: TypeAlias = Literal["slower", "faster", "tie", "cannot tell"]


class Limit(NamedTuple):
    """How much slower a quantile may be than the baseline's."""

    q: float
    share: float
    where: str = ""  # a runtime or a kind of workload, for which it takes the place of what holds for all

    def names(self, case: Case) -> bool:
        """Whether it is meant for a case; one without a name is for all."""
        return self.where in ("", case.subject.runtime, case.workload.kind)


class Change(NamedTuple):
    """One quantile of one pair."""

    before: Case
    after: Case
    q: float
    seen: Difference | None  # absent where the samples do not carry it
    floor: float | None  # the least difference that the same thing twice lets be told; absent without a twin
    limit: float | None = None

    @property
    def verdict(self) -> Verdict:
        """What may be said: `tie` only where none as large as the limit, or MARGIN, is left open."""
        if self.seen is None:
            return "cannot tell"
        if self.seen.told and self.seen.size > (self.floor or 0.0):
            return "slower" if self.seen.ratio > 1 else "faster"
        margin = MARGIN if self.limit is None else self.limit
        inside = 1 / (1 + margin) < self.seen.low and self.seen.high < 1 + margin
        return "tie" if inside else "cannot tell"

    @property
    def over(self) -> bool | None:
        """Whether it is slower by more than its limit; None where that cannot be told, or there is none."""
        if self.limit is None or self.seen is None:
            return None
        if self.verdict == "slower" and self.seen.low > 1 + self.limit:
            return True
        return False if self.seen.high <= 1 + self.limit else None


def judge(recorded: Raw, limits: Sequence[Limit] = ()) -> list[Change]:
    """Every pair of a run whose outputs passed, by its median, and by every quantile that has a limit."""
    return judged(vouched(recorded), samples.cases(recorded.measurements), limits)


def judged(cases: Sequence[Case], noisy: Sequence[Case], limits: Sequence[Limit] = ()) -> list[Change]:
    """Every pair of cases; what the same thing twice shows is among the noisy ones."""
    pairs = _pairs(cases)
    asked = [(*pair, q) for pair in pairs for q in sorted({0.5, *(limit.q for limit in limits)})]
    floors = {(case.workload, q): _floor(noisy, case.workload, q) for _, case, q in asked}
    return [
        Change(
            before, after, q, _seen(before, after, q, len(asked)), floors[after.workload, q], limit_of(after, q, limits)
        )
        for before, after, q in asked
    ]


def partners(before: Collection[str], after: Collection[str]) -> dict[str, str]:
    """Which export of an earlier run each new one is held against: the one of its name.

    Or, where one of a model is left on each side, that: two forms of one model.
    """
    found = {name: name for name in after if name in before}
    left = [[name for name in some if name not in found] for some in (before, after)]
    old, new = ({model: [n for n in names if _model(n) == model] for model in map(_model, names)} for names in left)
    single = {names[0]: old[model][0] for model, names in new.items() if len(names) == len(old.get(model, ())) == 1}
    return found | single


def _model(name: str) -> str:
    return name.rpartition("/")[0]


def _pairs(cases: Sequence[Case]) -> list[tuple[Case, Case]]:
    groups = dict[tuple[str, int, Workload], tuple[dict[str, Case], dict[str, Case]]]()
    for case in cases:
        old, new = groups.setdefault((case.subject.runtime, case.subject.threads, case.workload), ({}, {}))
        kept = without_baseline(case.subject.model)
        (new if kept is None else old)[kept or case.subject.model] = case
    return [(old[before], new[after]) for old, new in groups.values() for after, before in partners(old, new).items()]


def _seen(before: Case, after: Case, q: float, together: int) -> Difference | None:
    """None where either's samples do not carry the quantile."""
    carried = q == 0.5 or all(case.quantile_s(q) is not None for case in (before, after))
    return samples.difference(after, before, q=q, together=together) if carried else None


def _floor(cases: Sequence[Case], workload: Workload, q: float) -> float | None:
    return noise([case for case in cases if case.workload == workload], q=q).least


def limit_of(case: Case, q: float, limits: Sequence[Limit]) -> float | None:
    """The smallest of those that name it, or else of those for all."""
    meant = [limit for limit in limits if limit.q == q and limit.names(case)]
    named = [limit for limit in meant if limit.where]
    return min((limit.share for limit in named or meant), default=None)


def row(change: Change, machine: str) -> ChangeRow:
    """What is kept of it."""
    ratio, low, high = change.seen or (None, None, None)
    return ChangeRow(
        machine=machine,
        before=change.before.subject,
        after=change.after.subject,
        workload=change.after.workload,
        quantile=change.q,
        ratio=ratio,
        low=low,
        high=high,
        floor=change.floor,
        limit=change.limit,
        verdict=change.verdict,
        over=change.over,
    )
