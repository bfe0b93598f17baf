"""What came of a comparison with a baseline, in words: a table, a line on all of it, one on each broken limit."""

from collections.abc import Sequence

from lstmbench.records import Subject, without_baseline
from lstmbench.report import wording
from lstmbench.report.baseline import MARGIN, Change
from lstmbench.report.subjects import columns
from lstmbench.report.terminal import TerminalTable, subject_name
from lstmbench.samples import Difference

_WORDS = ("slower", "faster", "tie", "cannot tell")


def table(changes: Sequence[Change]) -> TerminalTable:
    """Every pair; what all of them share stands in the title, so that 80 columns hold the rest."""
    runtimes = sorted({change.after.subject.runtime for change in changes})
    medians = all(change.q == 0.5 for change in changes)
    what = "Median time" if medians else "Time"
    title = f"{what} over the baseline's, taken in turn{f' on {runtimes[0]}' if len(runtimes) == 1 else ''}"
    heads = ("export" if len(runtimes) == 1 else "export · runtime", "workload", "change", "99 % interval", "verdict")
    rows = [_row(change, one_runtime=len(runtimes) == 1, medians=medians) for change in changes]
    return TerminalTable(title, heads, rows)


def _row(change: Change, *, one_runtime: bool, medians: bool) -> tuple[str, ...]:
    name, work = _name(change), change.after.workload
    name = name if one_runtime else f"{name} · {change.after.subject.runtime}"
    what = f"{work.label}{'' if medians else f' p{100 * change.q:.0f}'}"
    if change.seen is None:
        return (name, what, wording.NOT_AVAILABLE, wording.NOT_AVAILABLE, change.verdict)
    return (name, what, f"{100 * (change.seen.ratio - 1):+.1f} %", _span(change.seen), change.verdict)


def _name(change: Change) -> str:
    """Of the new one, and of the one before where that is another."""
    after, before = (_export(change.after.subject), _export(change.before.subject))
    return after if after == before else f"{after} (before: {before})"


def _export(subject: Subject) -> str:
    kept = without_baseline(subject.model)
    return subject_name(columns(subject)).removeprefix("baseline/" if kept else "").partition(" · ")[0]


def _span(seen: Difference) -> str:
    return f"{100 * (seen.low - 1):+.1f} to {100 * (seen.high - 1):+.1f} %"


def summary(changes: Sequence[Change]) -> str:
    """How many pairs have which verdict, and what a tie leaves out."""
    told = [change.verdict for change in changes]
    counts = ", ".join(f"{told.count(word)} {word}" for word in _WORDS if word in told)
    floors = [change.floor for change in changes if change.floor is not None]
    floor = f"; the same thing twice lets no less than {100 * max(floors):.1f} % be told" if floors else ""
    margins = sorted({MARGIN if change.limit is None else change.limit for change in changes})
    margin = " or ".join(f"{one:.3g} %" for one in (100 * share for share in margins))
    none = f" (none of {margin} or more)" if "tie" in told else ""
    return f"{counts}{none}; intervals hold together at 99 %{floor}"


def sentence(change: Change) -> str:
    """What a broken limit is."""
    assert change.seen is not None, "it is told"
    assert change.limit is not None, "it is broken"
    work = change.after.workload
    return (
        f"FAILED: {_name(change)} on {change.after.subject.runtime}, {work.label}, "
        f"p{100 * change.q:.0f}: slower by {_span(change.seen)}, the limit is {100 * change.limit:.3g} %"
    )
