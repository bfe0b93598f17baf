"""Keep, beside what was timed, what each file gave up for its speed."""

from collections.abc import Sequence
from pathlib import Path

from lstmbench import runfolder
from lstmbench.journal import Journal
from lstmbench.records import Clearance, Cost


def keep_costs(clearances: Sequence[Clearance], run: Path) -> None:
    """A line of `costs.jsonl` for each file below fp32 whose record says what that costs."""
    journal = Journal(run / runfolder.COSTS, Cost, key=lambda row: row.model)
    for exported in dict.fromkeys(clearance.exported for clearance in clearances):
        record = exported.record
        if record.quality is not None:
            cost = Cost(model=exported.name, model_sha256=record.sha256, quality=record.quality)
            if journal.rows(cost.model) != (cost,):
                journal.put([cost])
