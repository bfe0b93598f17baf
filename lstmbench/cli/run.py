"""`lstmbench run`: the whole way on the built-in default."""

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from lstmbench.cli.bench import REFUSED_ROWS, say_lost
from lstmbench.cli.check import Threads
from lstmbench.cli.screen import progress_bar, say, spinner, tables
from lstmbench.cli.train import demand_trainer, load_corpus, print_result, usable_threads
from lstmbench.cli.verdicts import say_refused
from lstmbench.records import ModelConfig, ModelFolder, TrainConfig

if TYPE_CHECKING:
    from lstmbench.corpus import Corpus
    from lstmbench.flows.side_by_side import Planned


class Cell(StrEnum):
    """The cells, as an option that may be repeated."""

    FULL = "full"
    DIAGONAL = "diagonal"
    NONE = "none"


def run(  # noqa: PLR0913, PLR0917 (one argument an option)
    corpus: Annotated[str, typer.Option(help="kjv, pydoc, a UTF-8 file, or a folder.")] = "kjv",
    peephole: Annotated[list[Cell] | None, typer.Option(help="May be given several times; full and diagonal.")] = None,
    hidden: Annotated[int, typer.Option(min=1)] = 128,
    steps: Annotated[int, typer.Option(min=1, help="Of training, each model.")] = 2000,
    threads: Threads = 1,
    out: Annotated[Path, typer.Option(help="The run's folder.")] = Path("reports/run"),
    models: Annotated[Path, typer.Option(help="Where model folders lie.")] = Path("models"),
) -> None:
    """Train, export, check, bench and report; the same command goes on after an interruption."""
    demand_trainer()
    from lstmbench.export.verify import demand_runtime
    from lstmbench.flows.side_by_side import train_all
    from lstmbench.flows.whole import whole
    from lstmbench.report import extra, terminal_tables
    from lstmbench.runtimes import available

    extra.demand()
    demand_runtime()
    text = load_corpus(corpus)
    cells = dict.fromkeys(peephole or (Cell.FULL, Cell.DIAGONAL))
    training = TrainConfig(steps=steps)  # on one thread: the same model whatever cores are free today
    planned = [_planned(cell, text, hidden, training) for cell in cells]
    with progress_bar(f"train {len(planned)} models", len(planned) * steps) as advance:
        checkpoints = train_all(text, planned, models, jobs=usable_threads(), progress=lambda done: advance(done, ""))
    for checkpoint in checkpoints:
        print_result(checkpoint)
    with spinner() as progress:
        done = whole(checkpoints, available(), run=out, threads=threads, progress=progress)
    tables(terminal_tables(out, [clearance.subject for clearance in done.checked.clearances]))
    say_refused(done.checked.clearances)
    typer.echo()
    say(f"The report: {out / 'index.html'}")
    say_lost(done.measured)
    if not done.checked.passed:
        raise typer.Exit(1)
    if any(row.refused for row in done.measured):
        raise typer.Exit(REFUSED_ROWS)


def _planned(cell: Cell, text: "Corpus", hidden: int, training: TrainConfig) -> "Planned":
    from lstmbench.flows.side_by_side import Planned

    size = text.vocabulary.size
    model = ModelConfig(head="lm", peephole=cell.value, input_size=64, hidden_size=hidden, vocabulary_size=size)
    return Planned(f"run-{cell.value}", ModelFolder(model=model, training=training, corpus=text.info))
