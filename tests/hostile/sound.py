"""Sound files of every kind, as small as they can be, made by the product itself."""

import contextlib
from pathlib import Path

import foreign_graphs

from lstmbench import disk, runfolder
from lstmbench.bench import Effort, grid
from lstmbench.corpus import Vocabulary, load
from lstmbench.corpus.vocabulary import build
from lstmbench.export import Storage, export
from lstmbench.flows.assess import assess
from lstmbench.model import folder
from lstmbench.model.weights import random_weights
from lstmbench.records import ArrivalRow, Arrivals, Measurement, ModelConfig, ModelFolder, Served, TrainConfig
from lstmbench.report import render

LETTERS = Vocabulary(unit="char", tokens=("<unk>", "\n", "a", "b", "c"))
MODEL = ModelConfig(head="lm", peephole="diagonal", input_size=16, hidden_size=16, vocabulary_size=LETTERS.size)
RUNTIMES = ("numpy", "onnxruntime-cpu")


def make(root: Path) -> Path:
    """`models/m` with two exports, one of them with its data beside it; `models/pairs` without; `run`, rendered.

    `theirs.onnx` is a file of another exporter.
    """
    _model(root / "models" / "m", MODEL, LETTERS)
    made = [export(root / "models" / "m", form="lstm")]
    export(root / "models" / "m", form="scan", storage=Storage(external_data=True))
    theirs = foreign_graphs.Sizes(E=2, H=3, lengths=True, head="softmax")
    disk.write_atomically(root / "theirs.onnx", foreign_graphs.lstm_file(theirs).SerializeToString())
    pairs = build("bpe", "a text of some words, and some more of them " * 9, 270)
    _model(root / "models" / "pairs", ModelConfig(**_sizes(pairs.size)), pairs)
    workloads = grid(batches=[1], times=[3], kinds=["score"])
    effort = Effort(processes=1, rounds=1, warmup_s=0, budget_s=0.01, samples=7)
    assess(made, RUNTIMES, workloads, run=root / "run", threads=[1], effort=effort, progress=lambda _: None)
    _served(root / "run")
    render(root / "run")
    (root / "text.txt").write_text("abc\ncab " * 400)
    return root


def _served(run: Path) -> None:
    """As if queries had been sent to one of the two."""
    (first, *_) = disk.read_journal(run / runfolder.MEASUREMENTS, Measurement)
    came = Served(loadgen="6", valid=True, due_s=(0.0, 1.0), latency_s=(0.1, 0.2), rows_per_s=2.0)
    asked = Arrivals(scenario="server", time=3, seconds=1.0, rate=2.0, within_s=0.5)
    row = ArrivalRow(machine=first.machine, subject=first.subject, asked=asked, served=came)
    disk.append_record(run / runfolder.ARRIVALS, row)


def half_trained(root: Path) -> Path:
    """`models/t`, of which two of its four steps are done; needs torch."""
    from lstmbench.train import train

    corpus = load(str(root / "text.txt"))
    sizes = {"input_size": 4, "hidden_size": 4, "vocabulary_size": corpus.vocabulary.size}
    training = TrainConfig(steps=4, batch=2, time=4, validate_every=1)
    planned = ModelFolder(model=ModelConfig(head="lm", peephole="full", **sizes), training=training, corpus=corpus.info)
    asked = iter([False, True])
    with contextlib.suppress(KeyboardInterrupt):
        train(corpus, planned, root / "models" / "t", stop=lambda: next(asked))
    return root / "models" / "t"


def _sizes(vocabulary_size: int) -> dict:
    return {
        "head": "lm",
        "peephole": "none",
        "input_size": 2,
        "hidden_size": 2,
        "vocabulary_size": vocabulary_size,
    }


def _model(path: Path, model: ModelConfig, vocabulary: Vocabulary) -> None:
    folder.write_config(path, ModelFolder(model=model))
    folder.write_weights(path, random_weights(model, seed=1), folder.WeightsNote(sha256=""))
    disk.write_atomically(path / folder.VOCABULARY, vocabulary.to_bytes())
