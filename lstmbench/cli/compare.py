"""`lstmbench compare`: two stored runs, and which of their differences are more than the day's."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from lstmbench.cli.screen import say, tables

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lstmbench.report import TerminalTable
    from lstmbench.report.baseline import Limit
    from lstmbench.report.comparison import Change

Before = Annotated[Path, typer.Argument(help="A run's folder.")]
After = Annotated[Path, typer.Argument(help="Another, of the same machine.")]
Fail = Annotated[
    list[str] | None,
    typer.Option(help="Exit status 1 if a median rose by more: p50:5%, decode:p50:10%, numpy:p50:5%; several times."),
]


def compare(before: Before, after: After, fail: Fail = None) -> None:
    """Tell what got slower or faster between two runs, held against what differs although nothing was changed."""
    from lstmbench.report import extra, raw
    from lstmbench.report.comparison import compare as judge

    limits = _of_medians(fail)
    extra.demand()
    changes = judge(raw.read(before), raw.read(after))
    tables([_table(changes)])
    say(_in_a_line(changes))
    if any(_over(change, limits) for change in changes):
        raise typer.Exit(1)


def _of_medians(fail: "Sequence[str] | None") -> "list[Limit]":
    """LstmbenchError for a limit of another quantile: two sessions tell medians apart, if anything."""
    from lstmbench.cli.limits import limits
    from lstmbench.errors import LstmbenchError

    read = limits(fail)
    if any(limit.q != 0.5 for limit in read):
        raise LstmbenchError(
            "compare tells medians apart and no other quantile: give --fail p50:5%, or bench --baseline"
        )
    return read


def _over(change: "Change", limits: "Sequence[Limit]") -> bool:
    from lstmbench.report.baseline import limit_of

    limit = limit_of(change.pair.after, 0.5, limits)
    return limit is not None and change.verdict == "slower" and change.ratio > 1 + limit


def _table(changes: "Sequence[Change]") -> "TerminalTable":
    from lstmbench.report import TerminalTable

    columns = ("export · runtime", "workload", "changed", "time after / before", "interval", "verdict")
    return TerminalTable("Time of the second run over the first", columns, [_row(change) for change in changes])


def _row(change: "Change") -> tuple[str, ...]:
    case = change.pair.after
    ends = "n/a" if change.low is None or change.high is None else f"{change.low:.3f} – {change.high:.3f}"
    name = f"{case.subject.model} · {case.subject.runtime}"
    return (name, case.workload.label, change.pair.changed or "nothing", f"{change.ratio:.3f}", ends, change.verdict)


def _in_a_line(changes: "Sequence[Change]") -> str:
    from lstmbench.report.comparison import LEAST_CONTROLS

    told = [change.verdict for change in changes]
    if "cannot tell" in told:
        return (
            f"cannot tell: {told.count('control')} pairs in which nothing was changed show what two sessions differ "
            f"by, {LEAST_CONTROLS} are needed; time more runtimes or workloads in both"
        )
    counts = [(word, told.count(word)) for word in ("slower", "faster", "tie")]
    if not any(count for _, count in counts):
        return "nothing was changed between the two: what differs is the day's"
    return ", ".join(f"{count} {word}" for word, count in counts if count)
