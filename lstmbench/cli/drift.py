"""What `check --drift` says: how far each runtime drifts from the reference over a long run."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from lstmbench.cli.screen import say, spinner, tables

if TYPE_CHECKING:
    from lstmbench.records import ExportedModel


def follow(
    exported: "Sequence[ExportedModel]",
    runtimes: Sequence[str],
    *,
    run: Path,
    steps: int,
    threads: int,
    allow_mixed: bool,
) -> None:
    """Follow every export on every runtime and print the table; exit status 3 where one could not be followed."""
    from lstmbench.check import drift
    from lstmbench.report import drift_table

    with spinner() as progress:
        done = drift(
            exported, runtimes, run=run, steps=steps, threads=threads, allow_mixed=allow_mixed, progress=progress
        )
    if done.rows:
        tables([drift_table(done.rows)])
    for name, why in done.refused:
        say(f"{name}: {why}", err=True)
    if done.refused:
        raise typer.Exit(3)
