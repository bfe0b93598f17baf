"""From trained models to a report: export, check, bench, draw; what is finished already is not done again."""

import contextlib
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

from lstmbench.bench import Effort, read_grid
from lstmbench.check import CheckReport
from lstmbench.errors import RecordError
from lstmbench.export import Storage, default_form, export, find
from lstmbench.flows.assess import assess
from lstmbench.model.folder import Checkpoint
from lstmbench.records import ExportedModel, Measurement
from lstmbench.report import render


class Whole(NamedTuple):
    """What came out."""

    checked: CheckReport
    measured: list[Measurement]


def whole(
    checkpoints: Sequence[Checkpoint],
    runtimes: Sequence[str],
    *,
    run: Path,
    threads: int,
    progress: Callable[[str], None],
) -> Whole:
    """Export each model, check and time it on every runtime with the quick grid, draw the report in `run`."""
    exported = []
    for checkpoint in checkpoints:
        progress(f"exporting {checkpoint.path}")
        exported.append(_exported(checkpoint))
    checked, measured = assess(
        exported, runtimes, read_grid("quick")[None], run=run, threads=[threads], effort=Effort(), progress=progress
    )
    progress("drawing the report")
    render(run)
    return Whole(checked, measured)


def _exported(checkpoint: Checkpoint) -> ExportedModel:
    """The export of these very weights, made now if it is not there; one of earlier weights gives way."""
    path, stale = Path(checkpoint.path), False
    with contextlib.suppress(RecordError):  # damaged, or a kill fell between the file and its record: made again
        for found in find(path):
            wanted = found.model.head == "lm" and found.record.form == default_form(found.model.peephole)
            if wanted and found.record.precision == "fp32" and not found.record.lengths:
                if found.record.weights_sha256 == checkpoint.note.sha256:
                    return found
                stale = True
    return export(path, storage=Storage(force=stale))
