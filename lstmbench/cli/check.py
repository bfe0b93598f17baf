"""`lstmbench check`: every export on every runtime against the float64 reference."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from lstmbench.cli.folders import all_exports
from lstmbench.cli.foreign import FileOptions, check_one_file
from lstmbench.cli.screen import say, spinner, tables
from lstmbench.records import MOST_THREADS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lstmbench.records import Clearance

Names = Annotated[
    list[str] | None,
    typer.Argument(help="Model folders, or names under --models; all if none. Or one ONNX file, anybody's."),
]
Runtimes = Annotated[list[str] | None, typer.Option("--runtime", help="May be given several times; all here if none.")]
Models = Annotated[Path, typer.Option(help="Where model folders lie.")]
Run = Annotated[Path, typer.Option("--out", help="The run's folder; a second call goes on in it.")]
RunOrNone = Annotated[
    Path | None, typer.Option("--out", help="The run's folder; a second call goes on in it. [default: reports/run]")
]
Against = Annotated[
    Path | None,
    typer.Option(help="Of one ONNX file: another, or a model folder, that says what it must compute; itself if none."),
]
Threads = Annotated[int, typer.Option(min=1, max=MOST_THREADS, help="A runtime may use.")]


def check(
    names: Names = None,
    runtime: Runtimes = None,
    threads: Threads = 1,
    out: RunOrNone = None,
    models: Models = Path("models"),
    against: Against = None,
) -> None:
    """Compare logits and states with the float64 reference; exit status 1 if anything is out of its bound.

    An ONNX file by its name, of this or any other exporter, is compared with a float64 evaluation of its own graph.
    """
    if any(name.endswith(".onnx") for name in names or ()) or against is not None:
        check_one_file(names or [], FileOptions(runtime, threads, out, models, against))
        return
    out = out or Path("reports/run")
    from lstmbench.check import check as run
    from lstmbench.report import terminal_tables
    from lstmbench.runtimes import available

    exported = all_exports(names, models)
    with spinner() as progress:
        done = run(exported, runtime or available(), run=out, threads=threads, progress=progress)
    tables(terminal_tables(out, [clearance.subject for clearance in done.clearances])[:1])
    say_refused(done.clearances)
    if not done.passed:
        raise typer.Exit(1)


def say_refused(clearances: "Sequence[Clearance]") -> None:
    """One line on stderr for each subject that may not be measured."""
    for clearance in clearances:
        if not clearance.passed:
            say(f"{clearance.exported.name} on {clearance.subject.runtime}: {clearance.refused}", err=True)
