"""Truncated back-propagation through time with carried state; validates, keeps the best, goes on after a kill."""

import contextlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple, TypeAlias

import msgspec
import torch

from lstmbench import disk, machine
from lstmbench.corpus import Corpus
from lstmbench.model import folder as model_folder
from lstmbench.model.dropout import Dropout
from lstmbench.model.language_model import LanguageModel
from lstmbench.records import ModelFolder, TrainConfig
from lstmbench.train.admit import demand_folder, demand_memory
from lstmbench.train.batches import Batches, batches_of
from lstmbench.train.board import Board
from lstmbench.train.card import Making, card
from lstmbench.train.evaluate import evaluate
from lstmbench.train.flow import flow
from lstmbench.train.interrupt import deferred_interrupt
from lstmbench.train.journals import GRADIENTS, JOURNAL, FlowRow, TrainingRow, cut_journals, read_journals
from lstmbench.train.judgement import is_over, judged, scored_model
from lstmbench.train.memory import keep_freed_pages
from lstmbench.train.processes import Processes, joined
from lstmbench.train.resume import Position, Trainer, forget_position, load_position, new_trainer, save_position
from lstmbench.train.samples import sample
from lstmbench.train.step import take_step

CARD = "README.md"
LOG_EVERY = 20  # steps


Progress: TypeAlias = Callable[[TrainingRow], None]


class Run(NamedTuple):
    """What stays the same from one step to the next."""

    trainer: Trainer
    corpus: Corpus
    batches: Batches
    config: TrainConfig
    path: Path
    progress: Progress
    board: Board | None


def train(
    corpus: Corpus,
    folder: ModelFolder,
    path: Path,
    *,
    progress: Progress = lambda _: None,
    stop: Callable[[], bool] = lambda: False,
    board: bool = False,
) -> model_folder.Checkpoint:
    """Train to the end and return the best checkpoint; goes on where an earlier call was stopped.

    Among processes that torchrun started, each trains on its share of every batch, with its share of the threads, and
    the first one writes. CheckpointError if `path` holds another model or training diverges, DiskError if another
    process trains there. On Ctrl-C, or when `stop` says so, it saves its position after the step at hand and raises
    KeyboardInterrupt. `board` writes for TensorBoard, too.
    """
    config = _demand_training(folder)
    demand_folder(path, folder)
    with joined() as processes:
        if model_folder.is_finished(path):
            if processes.writes:
                forget_position(path)  # a kill may have fallen between the last score and this
            return model_folder.read(path)
        batches = batches_of(corpus, config, processes.share)
        demand_memory(folder.model)
        keep_freed_pages()
        torch.set_num_threads(max(1, config.threads // processes.share.size))
        torch.manual_seed(config.seed)
        trainer = new_trainer(LanguageModel(folder.model, _dropout(config, processes)), config, processes)
        with _held(folder, corpus, path, processes):
            shown = Board(path) if board and processes.writes else None
            with contextlib.closing(shown) if shown else contextlib.nullcontext():
                _go_on(Run(trainer, corpus, batches, config, path, progress, shown), stop)
            return _finish(corpus, folder, path, processes)


@contextlib.contextmanager
def _held(folder: ModelFolder, corpus: Corpus, path: Path, processes: Processes) -> Iterator[None]:
    """Hold the folder for the process that writes, with what it holds from the first step on."""
    processes.wait()  # until all have seen what was there before
    if not processes.writes:
        yield
        return
    disk.make_folder(path)
    with disk.locked(path):
        demand_folder(path, folder)  # again: another run may have begun there meanwhile
        model_folder.write_config(path, folder)
        disk.sweep(path)
        disk.write_atomically(path / model_folder.VOCABULARY, corpus.vocabulary.to_bytes())
        yield


def _go_on(run: Run, stop: Callable[[], bool]) -> None:
    """Take the steps that are left."""
    processes = run.trainer.processes
    position = load_position(run.path, run.trainer, steps=run.config.steps)
    if processes.writes:
        cut_journals(run.path, position.step)
    with deferred_interrupt(several=processes.share.size > 1) as stopped:
        while position.step < run.config.steps and not is_over(position, run.config):
            position = _advance(run, position)
            if processes.any(stopped() or stop()):
                save_position(run.path, run.trainer, position)
                raise KeyboardInterrupt


def _advance(run: Run, position: Position) -> Position:
    """Take one step; log, validate and save where one is due."""
    row = take_step(run.trainer, run.batches.at(position.step), run.config, position)
    position = msgspec.structs.replace(position, step=row.step)
    if row.step % run.config.validate_every and row.step != run.config.steps:
        if row.step % LOG_EVERY == 0:
            _write(run, row)
        return position
    row, position = _validated(run, row, position)
    reached = flow(run.trainer, run.batches.at(position.step), row, run.config)
    _write(run, row, reached)
    save_position(run.path, run.trainer, position)
    return position


def _validated(run: Run, row: TrainingRow, position: Position) -> tuple[TrainingRow, Position]:
    """Score the weights, and keep them if they are the best so far."""
    model = scored_model(run.trainer)
    valid = evaluate(model, run.corpus.valid, run.corpus.vocabulary, run.config, run.trainer.processes)
    if (position.best_nats is None or valid.nats < position.best_nats) and run.trainer.processes.writes:
        note = model_folder.WeightsNote(sha256="", step=row.step, valid=valid)
        model_folder.write_weights(run.path, model.weights(), note)
    row = msgspec.structs.replace(row, valid=valid)
    if (tokens := run.config.besides.sample) and run.trainer.processes.writes:
        text = sample(model, run.corpus.vocabulary, tokens, seed=(run.config.seed, row.step))
        row = msgspec.structs.replace(row, sample=text)
    return row, judged(position, valid.nats, run.config)


def _write(run: Run, row: TrainingRow, reached: FlowRow | None = None) -> None:
    if not run.trainer.processes.writes:
        return
    if reached is not None:
        disk.append_record(run.path / GRADIENTS, reached)
    disk.append_record(run.path / JOURNAL, row)
    if run.board is not None:
        run.board.show(row, reached)
    run.progress(row)


def _finish(corpus: Corpus, folder: ModelFolder, path: Path, processes: Processes) -> model_folder.Checkpoint:
    """Score the best weights on the test split and note it in them: the mark of a finished folder."""
    config = _demand_training(folder)
    processes.wait()  # until they are written
    best = model_folder.read(path)
    model = LanguageModel(folder.model)
    model.load_weights(best.weights)
    test = evaluate(model, corpus.test, corpus.vocabulary, config, processes)
    if processes.writes:
        note = model_folder.WeightsNote(sha256="", step=best.note.step, valid=best.note.valid, test=test)
        made = Making(machine.observe(), processes.share.size, *read_journals(path))
        disk.write_atomically(path / CARD, card(folder, note, made, name=path.resolve().name).encode())
        model_folder.write_weights(path, best.weights, note)
        forget_position(path)
    processes.wait()
    return model_folder.read(path)


def _dropout(config: TrainConfig, processes: Processes) -> Dropout:
    besides = config.besides
    rates = {"rate": config.dropout, "words": besides.embedding_dropout, "recurrent": besides.weight_drop}
    return Dropout(locked=besides.locked, share=processes.share, **rates)


def _demand_training(folder: ModelFolder) -> TrainConfig:
    if folder.training is None or folder.corpus is None:
        raise ValueError("a model folder that is to be trained names its training and its corpus")
    return folder.training
