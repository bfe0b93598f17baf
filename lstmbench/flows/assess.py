"""Check, then bench: nothing is timed whose output was not checked in the same run."""

import math
from collections.abc import Callable, Sequence
from pathlib import Path

from lstmbench import machine
from lstmbench.bench import Effort, bench
from lstmbench.check import CheckReport, check
from lstmbench.records import ExportedModel, Measurement, Workload


def assess(  # noqa: PLR0913 (what to run, on what, how, where)
    exported: Sequence[ExportedModel],
    runtimes: Sequence[str],
    workloads: Sequence[Workload],
    *,
    run: Path,
    threads: Sequence[int],
    effort: Effort,
    allow_mixed: bool = False,
    most_s: float = math.inf,
    progress: Callable[[str], None],
) -> tuple[CheckReport, list[Measurement]]:
    """Check every export on every runtime, at the shapes that are timed too; time what passed.

    With each number of threads; all that passed takes turns. What `run` holds already is not done again. `most_s`: of
    checking one export on one runtime, which is refused beyond it.
    """
    began = machine.observe().before  # the check itself is work: afterwards its load would be taken for others'
    reports = [
        check(
            exported,
            runtimes,
            run=run,
            threads=number,
            workloads=workloads,
            allow_mixed=allow_mixed,
            most_s=most_s,
            progress=progress,
        )
        for number in threads
    ]
    checked = CheckReport(
        rows=tuple(row for report in reports for row in report.rows),
        clearances=tuple(clearance for report in reports for clearance in report.clearances),
    )
    return checked, bench(checked.clearances, workloads, run=run, effort=effort, began=began, progress=progress)
