"""`lstmbench export`: model folders to proven ONNX files."""

from pathlib import Path
from typing import Annotated, Literal

import typer

from lstmbench.cli.folders import model_folders
from lstmbench.cli.screen import table


def export(
    names: Annotated[
        list[str] | None, typer.Argument(help="Model folders, or names under --models; all if none.")
    ] = None,
    head: Annotated[Literal["lm", "layer"] | None, typer.Option(help="The model's own if not given.")] = None,
    form: Annotated[
        Literal["lstm", "scan"] | None, typer.Option(help="lstm for diagonal and none, scan for full if not given.")
    ] = None,
    models: Annotated[Path, typer.Option(help="Where model folders lie.")] = Path("models"),
) -> None:
    """Write ONNX files, each run at unseen shapes and compared with the float64 reference before it is kept."""
    from lstmbench.export import export as run

    rows = []
    for folder in model_folders(names, models):
        done = run(folder, head=head, form=form)
        record = done.record
        worst = max(record.verified, key=lambda shape: shape.max_error / shape.bound)
        size = done.path.stat().st_size
        rows.append([str(done.path), f"{size / 1e6:.2f} MB", f"{worst.max_error:.1e}", f"{worst.bound:.1e}"])
    table("exported and proven", ["file", "size", "worst error", "bound there"], rows)
