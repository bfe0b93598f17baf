"""`lstmbench study`: what peepholes cost or bring, on real text."""

from pathlib import Path
from typing import Annotated

import typer

from lstmbench.cli.screen import progress_bar, say, tables
from lstmbench.cli.train import Size, demand_trainer, load_corpus, usable_threads, validated
from lstmbench.records import ModelConfig, TrainConfig


def study(  # noqa: PLR0913, PLR0917 (one argument an option)
    corpus: Annotated[str, typer.Option(help="kjv, pydoc, a UTF-8 file, or a folder.")] = "kjv",
    hidden: Annotated[int, typer.Option(min=2, help="Of the cell none; the others get as many parameters.")] = 224,
    layers: Size = 2,
    embedding: Size = 64,
    steps: Size = 16000,
    seeds: Annotated[int, typer.Option(min=1, help="Of each cell; a bound needs at least 2.")] = 3,
    jobs: Annotated[int | None, typer.Option(min=1, help="Trainings at once; all usable cores if not given.")] = None,
    out: Annotated[Path, typer.Option(help="Where the study's tables go.")] = Path("reports/quality"),
    models: Annotated[Path, typer.Option(help="Where model folders lie.")] = Path("models"),
) -> None:
    """Train full, diagonal and none at equal size and budget, several seeds each, and compare them with n-grams."""
    demand_trainer()
    from lstmbench.flows.study import plan
    from lstmbench.flows.study import study as run
    from lstmbench.report import extra, study_tables

    extra.demand()
    text = load_corpus(corpus)
    model = validated(
        ModelConfig,
        head="lm",
        peephole="none",
        input_size=embedding,
        hidden_size=hidden,
        num_layers=layers,
        vocabulary_size=text.vocabulary.size,
    )
    training = validated(TrainConfig, steps=steps, validate_every=max(1, steps // 20))
    planned = plan(text, model, training, seeds)
    with progress_bar("study", len(planned) * steps) as advance:
        done = run(
            text,
            planned,
            models=models,
            out=out,
            jobs=jobs or usable_threads(),
            progress=lambda n: advance(n, f"{len(planned)} models"),
        )
    tables(study_tables(done))
    typer.echo()
    say(f"{out / 'study.md'}")
