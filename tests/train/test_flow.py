"""How far gradients reach is what finite differences of the reference say; vanishing and exploding are seen."""

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from lstmbench import disk  # noqa: E402
from lstmbench.corpus.scoring import log_likelihoods  # noqa: E402
from lstmbench.model import reference  # noqa: E402
from lstmbench.model.gates import TORCH_GATES  # noqa: E402
from lstmbench.model.language_model import LanguageModel  # noqa: E402
from lstmbench.train import train  # noqa: E402
from lstmbench.train.batches import batches_of  # noqa: E402
from lstmbench.train.flow import flow  # noqa: E402
from lstmbench.train.journals import GRADIENTS, FlowRow  # noqa: E402
from lstmbench.train.processes import Processes  # noqa: E402
from lstmbench.train.resume import Position, new_trainer  # noqa: E402
from lstmbench.train.step import take_step  # noqa: E402

pytestmark = pytest.mark.torch


@pytest.fixture
def reached(table, planned):
    """What is measured after one step, the trainer, and the batch that it was measured on; `change` may alter it."""

    def reached(change=lambda _model: None, **settings):
        folder = planned(**settings)
        torch.manual_seed(1)
        trainer = new_trainer(LanguageModel(folder.model), folder.training, Processes())
        batches = batches_of(table, folder.training, Processes().share)
        row = take_step(trainer, batches.at(0), folder.training, Position())
        with torch.no_grad():
            change(trainer.model)
        return flow(trainer, batches.at(1), row, folder.training), trainer, batches.at(1)

    return reached


def by_differences(trainer, batch, distance, layer, part, T):
    """Root mean square over rows of |∂L/∂state|, a unit at a time, in float64."""
    config, weights = trainer.model.config, trainer.model.weights()
    x, y, start = batch.x.numpy()[:, :T], batch.y.numpy()[:, T - 1], [s.numpy().astype(float) for s in trainer.state]
    if batch.fresh:
        start = [np.zeros_like(s) for s in start]
    if distance < T:
        _, start = reference.run(config, weights, x[:, : T - distance], tuple(start))

    def loss(state):
        logits, _ = reference.run(config, weights, x[:, T - distance :], state)
        return -log_likelihoods(logits)[np.arange(len(y)), -1, y]  # (B,)

    gradient = []
    for unit in range(config.hidden_size):
        up, down = ([np.array(s) for s in start] for _ in range(2))
        up[part][layer, :, unit] += 1e-5
        down[part][layer, :, unit] -= 1e-5
        gradient.append((loss(tuple(up)) - loss(tuple(down))) / 2e-5)
    return np.sqrt((np.array(gradient) ** 2).sum(0).mean())


@pytest.mark.parametrize("settings", [{}, {"by_line": True, "time": 6}])
@pytest.mark.parametrize("peephole", ["full", "diagonal", "none"])
def test_norms_are_those_of_finite_differences(reached, peephole, settings):
    row, trainer, batch = reached(peephole=peephole, **settings)
    T = batch.x.shape[1] if batch.lengths is None else int(batch.lengths.min())
    assert {one.distance for one in row.reaches} == {d for d in (1, 2, 4, 8) if d <= T}
    for one in row.reaches:
        if one.distance in (1, 4):
            for part, name in enumerate("hc"):
                expected = by_differences(trainer, batch, one.distance, one.layer, part, T)
                assert getattr(one, name) == pytest.approx(expected, rel=1e-2, abs=1e-6), one


def test_norms_of_layers_are_those_of_the_gradient_before_clipping(reached):
    free, _, _ = reached(clip_norm=1e9)
    held, _, _ = reached(clip_norm=1e-3)
    assert held.layers == pytest.approx(free.layers, rel=1e-3)


def norms(row, layer):
    return {one.distance: one.c for one in row.reaches if one.layer == layer}


def test_a_model_that_forgets_at_once_is_seen_to_vanish(reached):
    def forget(model):
        H = model.config.hidden_size
        for name, p in model.lstm.named_parameters():
            if name.startswith("bias_ih"):
                f = TORCH_GATES.index("f")
                p[f * H : (f + 1) * H] = -20.0
            elif "weight_hh" in name or "weight_ch" in name:
                p.mul_(0.01)

    row, _, _ = reached(forget, layers=1)
    assert norms(row, 0)[8] < 1e-6 * norms(row, 0)[1]


def test_a_model_that_amplifies_is_seen_to_explode(reached):
    def amplify(model):
        for name, p in model.lstm.named_parameters():
            if "weight_hh" in name:
                p.mul_(4.0)
            if "weight_ch" in name:
                p.fill_(0.0)
            if "bias_ih" in name:
                p.fill_(1.0)

    row, _, _ = reached(amplify, layers=1)
    assert norms(row, 0)[8] > 3 * norms(row, 0)[1]


def test_measuring_changes_nothing_that_is_trained(table, planned, tmp_path, monkeypatch):
    train(table, planned(dropout=0.2), tmp_path / "seen")
    row = FlowRow(step=1, layers=(), reaches=())
    monkeypatch.setattr("lstmbench.train.loop.flow", lambda *_: row)
    train(table, planned(dropout=0.2), tmp_path / "unseen")
    for name in ("weights.safetensors", "training.jsonl"):
        assert (tmp_path / "seen" / name).read_bytes() == (tmp_path / "unseen" / name).read_bytes()


def test_the_card_shows_what_the_journal_holds(table, planned, tmp_path):
    train(table, planned(clip_norm=0.05), tmp_path / "m")
    card, last = (tmp_path / "m/README.md").read_text(), disk.read_journal(tmp_path / "m" / GRADIENTS, FlowRow)[-1]
    shown = {(one.layer, one.distance): f"{np.hypot(one.h, one.c):.1e}" for one in last.reaches}
    assert f"| layer 1 | {shown[1, 1]} | {shown[1, 2]} | {shown[1, 4]} | {shown[1, 8]} |" in card
    assert "Of 3 steps written down, 3 had gradients above 0.05" in card
