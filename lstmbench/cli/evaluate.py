"""`lstmbench eval`: how well a text is predicted by what runs, not by what was trained."""

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from lstmbench.cli.check import Models, Names, Runtimes, Threads
from lstmbench.cli.folders import exports_of, model_folders
from lstmbench.cli.screen import say, spinner, tables

if TYPE_CHECKING:
    from lstmbench.flows.evaluate import Text
    from lstmbench.records import Evaluation

REFUSED_ROWS = 3


def evaluate(
    names: Names = None,
    text: Annotated[str | None, typer.Option(help="All of this one; the test part of the model's own if none.")] = None,
    runtime: Runtimes = None,
    threads: Threads = 1,
    out: Annotated[Path | None, typer.Option(help="Keep the check and the scores in this run's folder.")] = None,
    models: Models = Path("models"),
) -> None:
    """Nats, perplexity and bits a character of a text, of every export on every runtime that passes the check.

    Exit status 3 if a row was refused.
    """
    from lstmbench.errors import LstmbenchError
    from lstmbench.flows.evaluate import evaluate as score
    from lstmbench.report import evaluation_tables
    from lstmbench.runtimes import available

    rows: list[Evaluation] = []
    with tempfile.TemporaryDirectory() as aside, spinner() as progress:
        for folder in model_folders(names, models):
            exported = [one for one in exports_of(folder) if one.model.head == "lm"]
            if exported:
                rows += score(
                    exported,
                    runtime or available(),
                    _text(folder, text),
                    run=out or Path(aside) / "run",
                    threads=threads,
                    progress=progress,
                )
            else:
                say(f"{folder} is left out: bare layers predict no text", err=True)
    if not rows:
        raise LstmbenchError("nothing to score: bare layers predict no text; name a model of head 'lm'")
    tables(evaluation_tables(rows))
    for row in rows:
        if row.refused:
            say(f"{row.subject.model} on {row.subject.runtime}: {row.refused}", err=True)
    if any(row.refused for row in rows):
        raise typer.Exit(REFUSED_ROWS)


def _text(folder: Path, named: str | None) -> "Text":
    """What is named, whole; or the test part of what the model was trained on."""
    from lstmbench.corpus import read_vocabulary, to_score
    from lstmbench.errors import CorpusError
    from lstmbench.flows.evaluate import Text
    from lstmbench.model import folder as model_folder

    corpus = model_folder.read(folder).folder.corpus
    own = corpus.name if corpus else None
    source = named or own
    if source is None:
        raise CorpusError(f"{folder} names no text: give one with --text")
    vocabulary = read_vocabulary(folder / model_folder.VOCABULARY)
    whole = named is not None and named != own
    rows = to_score(source, vocabulary, whole=whole)
    spelt = vocabulary.lossless and not rows.size.unknown
    return Text(source if whole else f"{source}, test part", rows, spelt)
