"""`lstmbench export`: model folders to proven ONNX files."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from lstmbench.cli.choice import chosen, share
from lstmbench.cli.folders import model_folders
from lstmbench.cli.screen import spinner, table
from lstmbench.errors import CheckpointError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lstmbench.arrays import Tokens
    from lstmbench.records import ExportedModel


_COST = ["file", "perplexity", "change", "at most (95 %)", "top-1 the same", "outputs off"]


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
        str | None, typer.Option(help="Held-out text for precisions below fp32; what the model was trained on if none.")
    ] = None,
    max_loss: Annotated[str, typer.Option(help="With auto: of perplexity, at 95 % confidence.")] = "1%",
    runtime: Annotated[str, typer.Option(help="With auto: where it must be fast.")] = "onnxruntime-cpu",
    workload: Annotated[Literal["score", "decode"], typer.Option(help="With auto.")] = "score",
    batch: Annotated[int, typer.Option(min=1, help="With auto: B.")] = 1,
    time: Annotated[int, typer.Option(min=1, help="With auto: T.")] = 64,
    threads: Annotated[int, typer.Option(min=1, help="With auto.")] = 1,
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
    from lstmbench.flows.candidates import Wish
    from lstmbench.records import Workload

    storage = Storage(opset=opset, external_data=external_data, force=force)
    auto = "auto" in (form, precision)
    wish = Wish(
        head=head,
        form=None if form == "auto" else form,
        precision=None if precision == "auto" else precision,
        workload=Workload(kind=workload, batch=batch, time=time),
        runtime=runtime,
        threads=threads,
        max_loss=share(max_loss),
        lengths=lengths,
        storage=storage,
    )
    done: list[ExportedModel] = []
    try:
        with spinner() as progress:
            for folder in _trained(names, models):
                progress(f"exporting {folder} and proving the file")
                unseen = None if precision == "fp32" else _held_out(folder, text, head)
                done.append(
                    chosen(folder, wish, unseen, progress)
                    if auto
                    else run(
                        folder,
                        head=head,
                        form=form,
                        precision=wish.precision or "fp32",
                        lengths=lengths,
                        held_out=unseen,
                        storage=storage,
                    )
                )
    finally:  # what came before an error was written, and stays
        if done:
            table("exported and proven", ["file", "size", "worst error", "bound there"], [_row(one) for one in done])
            costs = [_cost(one) for one in done if one.record.quality is not None]
            if costs:
                table("beside the model, on text that it has not seen", _COST, costs)


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


def _held_out(folder: Path, text: str | None, head: str | None) -> "Tokens | None":
    """Text that the model has not seen, in its vocabulary; None for bare layers, and where it is not at hand."""
    from lstmbench.corpus import held_out, read_vocabulary
    from lstmbench.errors import CorpusError
    from lstmbench.model import folder as model_folder

    corpus = model_folder.read(folder).folder.corpus
    source = text or (corpus.name if corpus else None)
    if head == "layer" or source is None:
        return None
    try:
        return held_out(source, read_vocabulary(folder / model_folder.VOCABULARY))
    except CorpusError as error:
        if text is not None:
            raise
        typer.echo(f"{folder}: what the precision costs is not measured: {error}; name a text with --text", err=True)
        return None


def _cost(done: "ExportedModel") -> list[str]:
    quality = done.record.quality
    assert quality is not None
    changes = (quality.perplexity_change, quality.perplexity_change_at_most)
    perplexity = "n/a" if quality.perplexity is None else f"{quality.perplexity:.3f}"
    shown = [perplexity, *("n/a" if change is None else f"{change:+.2%}" for change in changes)]
    agreed = "n/a" if quality.top1_agreement is None else f"{quality.top1_agreement:.2%}"
    return [done.name, *shown, agreed, f"{quality.relative_error:.2%}"]


def _row(done: "ExportedModel") -> list[str]:
    worst = max(done.record.verified, key=lambda check: check.max_error / check.bound)
    size = sum((done.path.parent / name).stat().st_size for name in done.record.sums)
    return [str(done.path), f"{size / 1e6:.2f} MB", f"{worst.max_error:.1e}", f"{worst.bound:.1e}"]
