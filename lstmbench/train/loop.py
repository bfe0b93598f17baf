"""Truncated back-propagation through time with carried state; validates, keeps the best, goes on after a kill."""

from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple, TypeAlias

import msgspec
import torch
from torch import Tensor
from torch.nn import functional

from lstmbench import disk, machine
from lstmbench.corpus import Corpus, rows
from lstmbench.errors import CheckpointError, CorpusError
from lstmbench.model import folder as model_folder
from lstmbench.model.language_model import LanguageModel
from lstmbench.records import ModelFolder, Record, Score, TrainConfig
from lstmbench.train.admit import demand_folder, demand_memory
from lstmbench.train.card import card
from lstmbench.train.evaluate import evaluate
from lstmbench.train.interrupt import deferred_interrupt
from lstmbench.train.memory import keep_freed_pages
from lstmbench.train.resume import Position, Trainer, forget_position, load_position, new_trainer, save_position
from lstmbench.train.schedule import learning_rate

JOURNAL, CARD = "training.jsonl", "README.md"
LOG_EVERY = 20  # steps


class TrainingRow(Record, frozen=True, kw_only=True):
    """A line of `training.jsonl`: the loss of one step's own tokens, before its update."""

    step: int  # steps done
    train_nats: float
    learning_rate: float
    gradient_norm: float  # before clipping
    valid: Score | None = None


Progress: TypeAlias = Callable[[TrainingRow], None]


class Run(NamedTuple):
    """What stays the same from one step to the next."""

    trainer: Trainer
    corpus: Corpus
    streams: Tensor  # (B, n) of the training text
    config: TrainConfig
    path: Path
    progress: Progress


def train(
    corpus: Corpus,
    folder: ModelFolder,
    path: Path,
    *,
    progress: Progress = lambda _: None,
    stop: Callable[[], bool] = lambda: False,
) -> model_folder.Checkpoint:
    """Train to the end and return the best checkpoint; goes on where an earlier call was stopped.

    CheckpointError if `path` holds another model or training diverges, DiskError if another process trains there. On
    Ctrl-C, or when `stop` says so, it saves its position after the step at hand and raises KeyboardInterrupt.
    """
    config = _demand_training(folder)
    demand_folder(path, folder)
    if model_folder.is_finished(path):
        forget_position(path)  # a kill may have fallen between the last score and this
        return model_folder.read(path)
    streams = _streams(corpus, config)
    demand_memory(folder.model)
    keep_freed_pages()
    torch.set_num_threads(config.threads)
    torch.manual_seed(config.seed)
    trainer = new_trainer(LanguageModel(folder.model, dropout=config.dropout), config)
    disk.make_folder(path)
    with disk.locked(path):
        demand_folder(path, folder)  # again: another process may have begun there meanwhile
        model_folder.write_config(path, folder)
        disk.sweep(path)
        disk.write_atomically(path / model_folder.VOCABULARY, corpus.vocabulary.to_bytes())
        _go_on(Run(trainer, corpus, streams, config, path, progress), stop)
        return _finish(corpus, folder, path)


def _go_on(run: Run, stop: Callable[[], bool]) -> None:
    """Take the steps that are left."""
    position = load_position(run.path, run.trainer, steps=run.config.steps)
    _cut_journal(run.path, position.step)
    with deferred_interrupt() as stopped:
        while position.step < run.config.steps:
            position = _advance(run, position)
            if stopped() or stop():
                save_position(run.path, run.trainer, position)
                raise KeyboardInterrupt


def _advance(run: Run, position: Position) -> Position:
    """Take one step; log, validate and save where one is due."""
    row = _step(run.trainer, run.streams, run.config, position.step)
    if row.step % run.config.validate_every and row.step != run.config.steps:
        if row.step % LOG_EVERY == 0:
            disk.append_record(run.path / JOURNAL, row)
            run.progress(row)
        return Position(step=row.step, best_nats=position.best_nats)
    valid = evaluate(
        run.trainer.model,
        run.corpus.valid,
        lossless=run.corpus.vocabulary.lossless,
        time=run.config.time if run.trainer.model.config.attention else None,
    )
    best = position.best_nats is None or valid.nats < position.best_nats
    if best:
        note = model_folder.WeightsNote(sha256="", step=row.step, valid=valid)
        model_folder.write_weights(run.path, run.trainer.model.weights(), note)
    position = Position(step=row.step, best_nats=valid.nats if best else position.best_nats)
    row = msgspec.structs.replace(row, valid=valid)
    disk.append_record(run.path / JOURNAL, row)
    save_position(run.path, run.trainer, position)
    run.progress(row)
    return position


def _step(trainer: Trainer, streams: Tensor, config: TrainConfig, step: int) -> TrainingRow:
    """One update on tokens (B, T); the state is carried, and starts from zero with each pass over the text."""
    per_pass = (streams.shape[1] - 1) // config.time
    at = step % per_pass * config.time
    if at == 0:
        for tensor in trainer.state:
            tensor.zero_()
    x, y = streams[:, at : at + config.time], streams[:, at + 1 : at + 1 + config.time]
    with torch.autocast("cpu", torch.bfloat16, enabled=config.precision == "bf16"):
        logits, state = trainer.model(x, (trainer.state[0], trainer.state[1]))
    loss = functional.cross_entropy(logits.float().flatten(0, 1), y.flatten())
    trainer.optimizer.zero_grad(set_to_none=True)
    # nothing bounds c: in every cell some units drift off, and in `full`, where each c opens its own gates, all of them
    torch.autograd.backward(loss + config.cell_penalty * state[1].square().mean())
    norm = torch.nn.utils.clip_grad_norm_(trainer.model.parameters(), config.clip_norm)
    if not (torch.isfinite(loss) and torch.isfinite(norm)):
        raise CheckpointError(f"training diverged at step {step + 1}; start again with a lower --learning-rate")
    rate = learning_rate(step, config)
    for group in trainer.optimizer.param_groups:
        group["lr"] = rate * group["scale"]
    trainer.optimizer.step()
    for kept, new in zip(trainer.state, state, strict=True):
        kept.copy_(new.detach())
    return TrainingRow(step=step + 1, train_nats=loss.item(), learning_rate=rate, gradient_norm=norm.item())


def _finish(corpus: Corpus, folder: ModelFolder, path: Path) -> model_folder.Checkpoint:
    """Score the best weights on the test split and note it in them: the mark of a finished folder."""
    best = model_folder.read(path)
    model = LanguageModel(folder.model)
    model.load_weights(best.weights)
    test = evaluate(model, corpus.test, lossless=corpus.vocabulary.lossless, time=folder.steps_a_call)
    note = model_folder.WeightsNote(sha256="", step=best.note.step, valid=best.note.valid, test=test)
    about = card(folder, note, name=path.resolve().name, machine=machine.observe())
    disk.write_atomically(path / CARD, about.encode())
    model_folder.write_weights(path, best.weights, note)
    forget_position(path)
    return model_folder.read(path)


def _streams(corpus: Corpus, config: TrainConfig) -> Tensor:
    """The training text as `batch` streams side by side (B, n)."""
    if len(corpus.train.tokens) < config.batch * (config.time + 1):
        raise CorpusError(
            f"the training text has {len(corpus.train.tokens)} tokens, too few for --batch {config.batch} "
            f"x --time {config.time}: give smaller ones or a longer text"
        )
    return torch.from_numpy(rows(corpus.train.tokens, config.batch).astype("int64"))


def _demand_training(folder: ModelFolder) -> TrainConfig:
    if folder.training is None or folder.corpus is None:
        raise ValueError("a model folder that is to be trained names its training and its corpus")
    return folder.training


def _cut_journal(path: Path, step: int) -> None:
    """Drop the lines after `step`: they are about to be written again, the same."""
    kept = [row for row in disk.read_journal(path / JOURNAL, TrainingRow) if row.step <= step]
    disk.write_journal(path / JOURNAL, kept)
