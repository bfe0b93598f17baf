"""`lstmbench export`: model folders to proven ONNX files."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from lstmbench.cli.folders import model_folders
from lstmbench.cli.screen import spinner, table
from lstmbench.errors import CheckpointError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lstmbench.records import ExportedModel


def export(
    names: Annotated[
        list[str] | None, typer.Argument(help="Model folders, or names under --models; all that are trained if none.")
    ] = None,
    head: Annotated[Literal["lm", "layer"] | None, typer.Option(help="The model's own if not given.")] = None,
    form: Annotated[
        str | None,
        typer.Option(
            help="lstm, scan, loop, step, unrolledN, generate; lstm for diagonal and none, scan for full if not given."
        ),
    ] = None,
    models: Annotated[Path, typer.Option(help="Where model folders lie.")] = Path("models"),
) -> None:
    """Write ONNX files, each run at unseen shapes and compared with the float64 reference before it is kept."""
    from lstmbench.export import export as run

    done: list[ExportedModel] = []
    try:
        with spinner() as progress:
            for folder in _trained(names, models):
                progress(f"exporting {folder} and proving the file")
                done.append(run(folder, head=head, form=form))
    finally:  # what came before an error was written, and stays
        if done:
            table("exported and proven", ["file", "size", "worst error", "bound there"], [_row(one) for one in done])


def _trained(names: list[str] | None, models: Path) -> "Iterator[Path]":
    """The folders that are meant; a model that is still in training is no file to keep."""
    from lstmbench.model import folder as model_folder

    for folder in model_folders(names, models):
        if model_folder.is_finished(folder):
            yield folder
        elif names:
            raise CheckpointError(f"{folder} is not trained to its end: run its 'lstmbench train' command again")
        else:
            typer.echo(f"{folder} is left out: it is not trained to its end", err=True)


def _row(done: "ExportedModel") -> list[str]:
    worst = max(done.record.verified, key=lambda check: check.max_error / check.bound)
    size = done.path.stat().st_size
    return [str(done.path), f"{size / 1e6:.2f} MB", f"{worst.max_error:.1e}", f"{worst.bound:.1e}"]
