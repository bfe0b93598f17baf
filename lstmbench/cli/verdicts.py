"""What the cases of `check` found, on the screen or as a document."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lstmbench.cli.costs import costs_of, say_costs
from lstmbench.cli.screen import document, say, spinner, tables

if TYPE_CHECKING:
    from lstmbench.check import CheckReport
    from lstmbench.records import Clearance, ExportedModel


def judge(
    exported: "Sequence[ExportedModel]", runtimes: Sequence[str], *, run: Path, json: bool, **options: Any
) -> "tuple[CheckReport, bool]":
    """Check with options of `lstmbench.check.check`, print it -> the report, and whether all promises are kept."""
    from lstmbench.check import check
    from lstmbench.report import terminal_tables

    with spinner() as progress:
        done = check(exported, runtimes, run=run, progress=progress, **options)
    if not json:
        tables(terminal_tables(run, [clearance.subject for clearance in done.clearances])[:1])
    say_refused(done.clearances)
    found = costs_of(done.clearances)
    kept = say_costs(found, shown=not json)
    if json:
        document({"rows": done.rows, "clearances": done.clearances, "costs": [cost.row for cost in found]})
    return done, kept


def say_refused(clearances: "Sequence[Clearance]") -> None:
    """One line on stderr for each subject that may not be measured."""
    for clearance in clearances:
        if not clearance.passed:
            say(f"{clearance.exported.name} on {clearance.subject.runtime}: {clearance.refused}", err=True)
