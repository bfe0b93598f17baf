"""What peepholes cost or bring: cells of equal size and budget on one text, several seeds, beside an n-gram floor."""

from collections.abc import Callable, Sequence
from pathlib import Path

import msgspec

from lstmbench import disk, machine
from lstmbench.corpus import Corpus, evaluation_rows
from lstmbench.corpus.ngram import witten_bell
from lstmbench.corpus.scoring import score
from lstmbench.flows.side_by_side import Planned, train_all
from lstmbench.model.folder import Checkpoint
from lstmbench.model.weights import of_equal_size, parameter_count
from lstmbench.records import ModelConfig, ModelFolder, Peephole, Score, Study, StudyRow, TrainConfig
from lstmbench.report import STUDY, render_study

CELLS: tuple[Peephole, ...] = ("full", "diagonal", "none")
ORDERS = 9  # of the floor; kjv is best at 7


def plan(corpus: Corpus, model: ModelConfig, training: TrainConfig, seeds: int) -> list[Planned]:
    """Every cell with every seed: `model` says the sizes of `none`, the others get its parameter count."""
    parameters = parameter_count(msgspec.structs.replace(model, peephole="none"))
    return [
        Planned(
            f"{corpus.info.name}-{cell}" + (f"-seed{seed}" if seed else ""),
            ModelFolder(
                model=of_equal_size(msgspec.structs.replace(model, peephole=cell), parameters=parameters),
                training=msgspec.structs.replace(training, seed=seed),
                corpus=corpus.info,
            ),
        )
        for seed in range(seeds)
        for cell in CELLS
    ]


def study(
    corpus: Corpus, planned: Sequence[Planned], *, models: Path, out: Path, jobs: int, progress: Callable[[int], None]
) -> Study:
    """Train what is not finished under `models`, `jobs` at a time, and write the study and its tables to `out`.

    `progress` is told how many steps all models together have done.
    """
    here = machine.observe()
    done = train_all(corpus, planned, models, jobs=jobs, progress=progress)
    result = Study(floor=floor(corpus), rows=tuple(map(_row, planned, done)), machine=machine.after(here))
    disk.make_folder(out)
    disk.write_record(out / STUDY, result)
    render_study(out)
    return result


def floor(corpus: Corpus) -> tuple[Score, ...]:
    """Interpolated Witten-Bell n-grams of order 1, 2, … on the test split, scored as a model is."""
    inputs, targets = evaluation_rows(corpus.test.tokens)
    size, test = corpus.vocabulary.size, corpus.test
    nats = witten_bell(corpus.train.tokens, inputs, targets, vocabulary_size=size, max_order=ORDERS)
    tokens = int((targets >= 0).sum())
    characters = test.characters * tokens / len(test.tokens)
    return tuple(score(n * tokens, tokens, characters=characters, lossless=corpus.vocabulary.lossless) for n in nats)


def _row(planned: Planned, done: Checkpoint) -> StudyRow:
    assert done.note.test is not None, "train returns finished models"
    return StudyRow(
        name=planned.name,
        folder=done.folder,
        parameters=parameter_count(done.folder.model),
        weights_sha256=done.note.sha256,
        test=done.note.test,
    )
