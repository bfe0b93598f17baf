"""`lstmbench export`: model folders to proven ONNX files."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from lstmbench.cli.choice import chosen, demand_use, wish
from lstmbench.cli.costs import COLUMNS, TITLE, cells
from lstmbench.cli.folders import model_folders
from lstmbench.cli.screen import say, spinner, table
from lstmbench.errors import CheckpointError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lstmbench.arrays import Tokens
    from lstmbench.records import ExportedModel


def export(  # noqa: PLR0913, PLR0917 (one argument an option)
    names: Annotated[
        list[str] | None, typer.Argument(help="Model folders, or names under --models; all that are trained if none.")
    ] = None,
    head: Annotated[Literal["lm", "layer"] | None, typer.Option(help="The model's own if not given.")] = None,
    form: Annotated[
        str | None,
        typer.Option(
            help="lstm, scan, loop, step, unrolledN, generate or auto. "
            "lstm for diagonal and none, scan for full if not given."
        ),
    ] = None,
    precision: Annotated[
        Literal["fp32", "fp16", "int8", "int4", "int4a8", "auto"],
        typer.Option(help="auto: the fastest."),
    ] = "fp32",
    lengths: Annotated[
        bool, typer.Option("--lengths", help="Take the length of each row of a batch as one more input.")
    ] = False,
    text: Annotated[
        str | None,
        typer.Option(help="Unseen text to score precisions below fp32 on; the test part of its own if none."),
    ] = None,
    max_loss: Annotated[str | None, typer.Option(help="With auto: of perplexity, at 95 % confidence; 1%.")] = None,
    runtime: Annotated[str | None, typer.Option(help="With auto: where it must be fast; onnxruntime-cpu.")] = None,
    workload: Annotated[Literal["score", "decode"] | None, typer.Option(help="With auto: score if not given.")] = None,
    batch: Annotated[int | None, typer.Option(help="With auto: B; 1.")] = None,
    time: Annotated[int | None, typer.Option(help="With auto: T; 64.")] = None,
    threads: Annotated[int | None, typer.Option(help="With auto: 1.")] = None,
    models: Annotated[Path, typer.Option(help="Where model folders lie.")] = Path("models"),
    opset: Annotated[int, typer.Option(help="18 to 21: older ones for older runtimes.")] = 21,
    external_data: Annotated[
        bool, typer.Option("--external-data", help="Weights in FILE.onnx.data; over 2 GB they always are.")
    ] = False,
    force: Annotated[
        bool, typer.Option("--force", help="Replace a file of that name that holds something else.")
    ] = False,
) -> None:
    """Write ONNX files, each run at unseen shapes and compared with the float64 reference before it is kept."""
    from lstmbench.export import Storage
    from lstmbench.export import export as run

    storage = Storage(opset=opset, external_data=external_data, force=force)
    asked: dict[str, Any] = {"max-loss": max_loss, "runtime": runtime, "workload": workload}
    asked |= {"batch": batch, "time": time, "threads": threads}
    auto = "auto" in (form, precision)
    demand_use(asked, auto=auto, text=text, precision=precision, head=head)
    what: dict[str, Any] = {"head": head, "form": form, "precision": precision, "lengths": lengths, "storage": storage}
    wished = wish(what, asked) if auto else None
    done: list[ExportedModel] = []
    try:
        with spinner() as progress:
            for folder in trained(names, models):
                progress(f"exporting {folder} and proving the file")
                unseen = None if precision == "fp32" else unseen_text(folder, text, head)
                if wished:
                    done.append(chosen(folder, wished, unseen, progress))
                else:
                    done.append(run(folder, **what, held_out=unseen))
    finally:  # what came before an error was written, and stays
        if done:
            table("exported and proven", ["file", "size", "worst error", "bound there"], [_row(one) for one in done])
            costs = [_cost(one) for one in done if one.record.quality is not None]
            if costs:
                table(TITLE, ["file", *COLUMNS, "off"], costs)


def trained(names: list[str] | None, models: Path) -> "Iterator[Path]":
    """The folders that are meant; a model that is still in training is no file to keep."""
    from lstmbench.model import folder as model_folder

    for folder in model_folders(names, models):
        if model_folder.is_finished(folder):
            yield folder
        elif names:
            raise CheckpointError(f"{folder} is not trained to its end: run its 'lstmbench train' command again")
        else:
            say(f"{folder} is left out: it is not trained to its end", err=True)


def unseen_text(folder: Path, text: str | None, head: str | None) -> "Tokens | None":
    """Text that the model has not seen, in its vocabulary; None for bare layers, and where it is not at hand."""
    from lstmbench.corpus import held_out, read_vocabulary
    from lstmbench.errors import CorpusError
    from lstmbench.model import folder as model_folder

    corpus = model_folder.read(folder).folder.corpus
    source, own = text or (corpus.name if corpus else None), corpus and corpus.name == text
    if head == "layer" or source is None:
        return None
    try:
        vocabulary = read_vocabulary(folder / model_folder.VOCABULARY)
        return held_out(source, vocabulary, whole=text is not None and not own).tokens
    except CorpusError as error:
        if text is not None:
            raise
        say(f"{folder}: what the precision costs is not measured: {error}; name a text with --text", err=True)
        return None


def _cost(done: "ExportedModel") -> list[str]:
    quality = done.record.quality
    assert quality is not None
    off = "n/a" if quality.relative_error is None else f"{quality.relative_error:.2%}"
    return [done.name, *cells(quality), off]


def _row(done: "ExportedModel") -> list[str]:
    judged = [check for check in done.record.verified if check.unjudged_steps < check.time]
    worst = max(judged, key=lambda check: check.max_error / check.bound)
    size = sum((done.path.parent / name).stat().st_size for name in done.record.sums)
    return [str(done.path), f"{size / 1e6:.2f} MB", f"{worst.max_error:.1e}", f"{worst.bound:.1e}"]
