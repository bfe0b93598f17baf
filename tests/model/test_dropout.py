"""Dropout: what stays the same over time, what expectation keeps, and nothing of it outside of training."""

import copy

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from torch.nn import functional  # noqa: E402

from lstmbench.model.dropout import Dropout, Share  # noqa: E402
from lstmbench.model.language_model import LanguageModel  # noqa: E402
from lstmbench.model.peephole_lstm import PeepholeLSTM  # noqa: E402
from lstmbench.records import ModelConfig  # noqa: E402

pytestmark = pytest.mark.torch
ALL = Dropout(rate=0.5, locked=True, words=0.4, recurrent=0.5)
CONFIG = ModelConfig(head="lm", peephole="full", input_size=6, hidden_size=8, num_layers=2, vocabulary_size=7)


def made(dropped, seed=0):
    torch.manual_seed(seed)
    model = LanguageModel(CONFIG, dropped)
    with torch.no_grad():
        for p in model.parameters():
            p.copy_(torch.randn(p.shape) * 0.5)
    return model


TOKENS = torch.from_numpy(np.random.default_rng(1).integers(0, 7, (4, 9)))


def read_by(module, model):
    """What a module reads in one training call."""
    seen = []
    handle = module.register_forward_pre_hook(lambda _module, given: seen.append(given[0].detach()))
    model(TOKENS)
    handle.remove()
    return seen[0]


@pytest.mark.parametrize("part", ["lstm", "decoder"])
def test_locked_dropout_takes_the_same_units_at_all_steps_and_others_in_each_row(part):
    model = made(Dropout(rate=0.5, locked=True))
    dropped = read_by(getattr(model, part), model) == 0  # (B, T, n)
    assert (dropped == dropped[:, :1]).all()
    assert not (dropped == dropped[:1]).all()
    model = made(Dropout(rate=0.5))  # planted: not locked
    dropped = read_by(getattr(model, part), model) == 0
    assert not (dropped == dropped[:, :1]).all()


@pytest.mark.parametrize("locked", [True, False])
@pytest.mark.parametrize("sizes", [[5] * 4, [5, 3, 3, 1]])
def test_between_layers_it_is_the_same_for_packed_rows(sizes, locked):
    x = torch.ones(sum(sizes), 200)
    dropped = Dropout(rate=0.5, locked=locked)
    if not locked and sizes[-1] < sizes[0]:
        with pytest.raises(AssertionError, match="locked"):
            dropped.packed(x, sizes)
        return
    steps = dropped.packed(x, sizes).split(sizes)
    assert all((step == steps[0][: len(step)]).all() == locked for step in steps[1:])


@pytest.mark.parametrize("p", [0.1, 0.5, 0.9])
def test_expectation_is_kept(p):
    n = 40_000
    spread = 5 * (p / (1 - p) / n) ** 0.5  # five standard errors of the mean of noise
    torch.manual_seed(3)
    for noisy in (
        Dropout(rate=p).units(torch.ones(2, 20, n // 40)),
        Dropout(rate=p, locked=True).units(torch.ones(200, 3, n // 200)),
        Dropout(words=p).embedding(torch.ones(n, 2)),
        Dropout(recurrent=p).weights(torch.ones(200, n // 200)),
    ):
        assert noisy.mean().item() == pytest.approx(1, abs=spread)
        assert noisy.unique().tolist() == pytest.approx([0, 1 / (1 - p)])


def test_nothing_is_dropped_outside_of_training():
    noisy, plain = made(ALL).eval(), made(Dropout()).eval()
    assert torch.equal(noisy(TOKENS)[0], plain(TOKENS)[0])
    noisy.train()
    assert not torch.equal(noisy(TOKENS)[0], plain(TOKENS)[0])


def test_a_dropped_word_is_gone_from_all_of_its_places():
    model = made(Dropout(words=0.5))
    gone = (read_by(model.lstm, model) == 0).all(-1)
    words = set(TOKENS[gone].tolist())
    assert words
    assert words.isdisjoint(TOKENS[~gone].tolist())


@pytest.mark.parametrize("peephole", ["full", "diagonal", "none"])
def test_dropped_weights_are_those_of_one_matrix_at_all_steps(peephole):
    config = ModelConfig(head="lm", peephole=peephole, input_size=6, hidden_size=8, vocabulary_size=7)
    torch.manual_seed(0)
    model = LanguageModel(config, Dropout(recurrent=0.5))
    for p in model.parameters():
        torch.nn.init.normal_(p)
    plain = PeepholeLSTM(6, 8, batch_first=True, peephole=peephole)
    plain.load_state_dict(model.lstm.state_dict())
    x = torch.randn(3, 5, 6)
    torch.manual_seed(7)
    y, _ = model.lstm(x)
    torch.manual_seed(7)
    with torch.no_grad():
        plain.weight_hh_l0.copy_(functional.dropout(plain.weight_hh_l0, 0.5))
        if peephole == "full":
            plain.weight_ch_l0.copy_(functional.dropout(plain.weight_ch_l0, 0.5))
    assert torch.equal(y, plain(x)[0])


def test_dropped_weights_get_no_gradient():
    model = made(Dropout(recurrent=0.5))
    model(TOKENS)[0].square().sum().backward()
    assert 0.3 < (model.lstm.weight_hh_l0.grad == 0).float().mean() < 0.7


@pytest.mark.parametrize("locked", [True, False])
def test_processes_drop_together_what_one_does(locked):
    x = torch.ones(6, 5, 7)
    torch.manual_seed(1)
    whole = Dropout(rate=0.5, locked=locked).units(x)
    for rank in range(3):
        torch.manual_seed(1)
        own = Dropout(rate=0.5, locked=locked, share=Share(rank, 3)).units(x[:2])
        assert torch.equal(own, whole[rank::3])


def test_what_stands_behind_the_end_of_a_row_is_neither_read_nor_learnt_from():
    model, lengths = made(Dropout()), torch.tensor([9, 7, 2, 1])
    other = torch.where(torch.arange(9) < lengths[:, None], TOKENS, (TOKENS + 1) % 7)

    def gradients(tokens, lengths):
        one = copy.deepcopy(model)
        logits, (_, c) = one(tokens, None, lengths)
        kept = torch.arange(9) < torch.tensor([9, 7, 2, 1])[:, None]
        (logits[kept].square().sum() + c.square().sum()).backward()
        return torch.cat([p.grad.flatten() for p in one.parameters()])

    assert torch.equal(gradients(TOKENS, lengths), gradients(other, lengths))
    assert not torch.equal(gradients(TOKENS, None), gradients(other, None))  # planted: the rows do not end
