"""Lines are trained and scored each from zero state, and what fills a batch up does not count."""

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from lstmbench import disk  # noqa: E402
from lstmbench.corpus.lines import lines  # noqa: E402
from lstmbench.corpus.scoring import log_likelihoods  # noqa: E402
from lstmbench.errors import CorpusError  # noqa: E402
from lstmbench.model import reference  # noqa: E402
from lstmbench.model.language_model import LanguageModel  # noqa: E402
from lstmbench.train import JOURNAL, TrainingRow, steps_a_pass, train  # noqa: E402
from lstmbench.train.batches import batches_of  # noqa: E402
from lstmbench.train.processes import Processes  # noqa: E402
from lstmbench.train.resume import Position, new_trainer  # noqa: E402
from lstmbench.train.step import take_step  # noqa: E402

pytestmark = pytest.mark.torch


def nats(config, weights, found):
    """Summed over lines, one at a time, in float64."""
    total = 0.0
    for line in found:
        logits, _ = reference.run(config, weights, line[None, :-1])
        total -= log_likelihoods(logits)[0, np.arange(len(line) - 1), line[1:]].sum()
    return total / sum(len(line) - 1 for line in found)


def first_loss(table, folder, change=lambda batch: batch):
    torch.manual_seed(0)
    trainer = new_trainer(LanguageModel(folder.model), folder.training, Processes())
    for p in trainer.model.parameters():
        torch.nn.init.normal_(p, std=0.7)
    before = trainer.model.weights()
    batches = batches_of(table, folder.training, Processes().share)
    batch = next(batch for batch in map(batches.at, range(100)) if len(set(batch.lengths.tolist())) > 1)
    row = take_step(trainer, change(batch), folder.training, Position())
    return row.train_nats, before, batch


def test_the_loss_is_the_mean_over_the_tokens_of_lines_alone(table, planned):
    folder = planned(by_line=True, time=9)
    loss, weights, batch = first_loss(table, folder)
    found = [
        np.append(x[:n], y[n - 1]) for x, y, n in zip(batch.x.numpy(), batch.y.numpy(), batch.lengths, strict=True)
    ]
    assert loss == pytest.approx(nats(folder.model, weights, found), abs=1e-5)
    unmasked, _, _ = first_loss(table, folder, lambda batch: batch._replace(y=batch.y.clamp(min=0)))  # planted
    assert unmasked != pytest.approx(loss, abs=1e-2)


def test_scores_are_those_of_lines_alone(table, planned, tmp_path):
    done = train(table, planned(by_line=True, time=9), tmp_path / "m")
    found = lines(table.test.tokens, table.vocabulary, most=9)
    assert done.note.test.nats == pytest.approx(nats(done.folder.model, done.weights, found), abs=1e-5)
    assert done.note.test.tokens == len(table.test.tokens)


def test_a_pass_takes_every_line_once(table, planned):
    steps = steps_a_pass(table, batch=4, time=9, by_line=True)
    batches = batches_of(table, planned(by_line=True, time=9).training, Processes().share)
    taken = sum(int(batches.at(step).lengths.sum()) for step in range(steps))
    assert taken == pytest.approx(len(table.train.tokens), abs=4 * 9)  # but those that fill no batch
    assert torch.equal(batches.at(0).x, batches.at(0).x)
    assert not torch.equal(batches.at(0).x, batches.at(steps).x)


def test_too_few_lines_are_one_line(table, planned):
    with pytest.raises(CorpusError, match="too few for --batch"):
        batches_of(table, planned(by_line=True, batch=60_000).training, Processes().share)


def test_the_curve_falls(table, planned, tmp_path):
    train(
        table, planned(by_line=True, batch=32, time=30, steps=20, validate_every=10, learning_rate=0.03), tmp_path / "m"
    )
    rows = disk.read_journal(tmp_path / "m" / JOURNAL, TrainingRow)
    assert rows[-1].valid.nats < rows[0].valid.nats - 0.1
