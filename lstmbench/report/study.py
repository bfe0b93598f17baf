"""`study.md` and `study.csv`: the models of a study beside their floor, drawn from `study.json` alone."""

import csv
import io
from collections.abc import Iterator
from pathlib import Path

from lstmbench import disk
from lstmbench.records import Score, Study
from lstmbench.report import summary, wording
from lstmbench.report.markdown import escape, table
from lstmbench.report.quality import Quality, best_floor, qualities
from lstmbench.report.sheets import Row, Sheet
from lstmbench.report.terminal import TerminalTable

STUDY = "study.json"
_NOTE = (
    "Cells of the same number of parameters, trained on the same tokens in the same number of steps. Loss is what a "
    "cell loses against none, in the mean over the seeds; it is at most the last column, one-sided at 95 % (Welch's "
    "t, seeds taken as independent)."
)
_MACHINE_NOTE = (
    "Where the last call of the study ran, and when. Models that were finished before it were taken as they are; the "
    "card in a model's folder says where and when it was trained."
)
_FLOOR_NOTE = "Interpolated Witten-Bell n-grams, counted on the training split, on the same test tokens."


def render_study(out: Path) -> None:
    """Write `study.md` and `study.csv` beside `study.json`; the same bytes from the same file."""
    study = disk.read_record(out / STUDY, Study)
    disk.write_atomically(out / "study.md", ("\n".join(_lines(study)) + "\n").encode())
    disk.write_atomically(out / "study.csv", _csv(study).encode())


def study_tables(study: Study) -> list[TerminalTable]:
    """The same for the terminal: the seeds' own scores are left to the files."""
    cells, floor = _sheets(study)
    columns = (*cells.keys, *cells.values[-4:])
    return [
        TerminalTable(cells.title, columns, [(*row.keys, *row.values[-4:]) for row in cells.rows]),
        TerminalTable(floor.title, (*floor.keys, *floor.values), [(*row.keys, *row.values) for row in floor.rows]),
    ]


def _lines(study: Study) -> Iterator[str]:
    folder = study.rows[0].folder
    assert folder.corpus is not None and folder.training is not None, "a study trains on a text"  # noqa: PT018
    corpus, training = folder.corpus, folder.training
    yield from ("# Language models with and without peepholes", "")
    yield f"Text: {escape(corpus.name)}, {corpus.characters:,} characters, SHA-256 {corpus.sha256}; unit: {corpus.unit}"
    yield f"({corpus.tokens:,} tokens of training text). Training: {training.steps:,} steps of {training.batch} ×"
    yield f"{training.time} tokens, {training.precision}, {training.threads} thread(s)."
    for sheet in _sheets(study):
        yield from ("", f"## {sheet.title}", "", escape(sheet.note), "", *table(sheet))
    yield from ("", "## Machine", "", _MACHINE_NOTE, "")
    yield from (f"- **{name}**: {escape(value)}" for name, value in summary.machine_facts(study.machine))


def _sheets(study: Study) -> tuple[Sheet, Sheet]:
    order, floor = best_floor(study)
    seeds = max(row.folder.training.seed for row in study.rows if row.folder.training) + 1
    cells = Sheet(
        "cells",
        "Cells",
        f"Test split: {_unit(floor)} of {wording.several(seeds, 'seed')}, floor {_value(floor)} (order {order})",
        _NOTE,
        ("Cell", "Layers", "Hidden", "Parameters"),
        (*(f"Seed {n}" for n in range(seeds)), "Mean", "Under floor", "Loss", "Loss at most"),
        tuple(_cell(quality) for quality in qualities(study)),
    )
    by_order = tuple(Row((str(n),), (_value(score),)) for n, score in enumerate(study.floor, 1))
    return cells, Sheet("floor", "Floor", "The floor", _FLOOR_NOTE, ("Order",), (_unit(floor),), by_order)


def _cell(quality: Quality) -> Row:
    model, first = quality.rows[0].folder.model, quality.rows[0]
    scale = _number(first.test) / first.test.nats
    return Row(
        (quality.peephole, str(model.num_layers), str(model.hidden_size), f"{first.parameters:,}"),
        (
            *(_value(row.test) for row in quality.rows),
            f"{quality.nats * scale:.4f}",
            f"{100 * quality.under_floor:.1f} %",
            _percent(quality.loss),
            _percent(quality.loss_bound),
        ),
    )


def _csv(study: Study) -> str:
    text = io.StringIO()
    rows = csv.writer(text, lineterminator="\n")
    rows.writerow(
        ("model", "cell", "layers", "hidden_size", "parameters", "seed", "nats", "perplexity", "bits_per_character")
    )
    for row in study.rows:
        model, test, training = row.folder.model, row.test, row.folder.training
        seed = training.seed if training else wording.NOT_AVAILABLE
        bits = wording.NOT_AVAILABLE if test.bits_per_character is None else test.bits_per_character
        sizes = (model.num_layers, model.hidden_size, row.parameters)
        rows.writerow((row.name, model.peephole, *sizes, seed, test.nats, test.perplexity, bits))
    return text.getvalue()


def _unit(score: Score) -> str:
    return "nats a token" if score.bits_per_character is None else "bits a character"


def _number(score: Score) -> float:
    return score.nats if score.bits_per_character is None else score.bits_per_character


def _value(score: Score) -> str:
    return f"{_number(score):.4f}"


def _percent(share: float | None) -> str:
    return wording.NOT_AVAILABLE if share is None else f"{100 * share:+.2f} %"
