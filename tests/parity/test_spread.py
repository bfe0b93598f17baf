"""How far roundings spread, against runs of the reference whose numbers are rounded."""

import numpy as np
import pytest

from lstmbench.check import reach
from lstmbench.model import reference
from lstmbench.model.weights import random_weights
from lstmbench.parity import bound, expect
from lstmbench.parity.spread import spread
from lstmbench.records import ModelConfig

CELLS = ("full", "diagonal", "none")
U = 2.0**-24


def asked(config, *, seed, batch=reach.ROWS, time=1):
    weights = random_weights(config, seed=seed)
    x = reach.inputs(config, weights, batch=batch, time=time, seed=seed)
    return weights, x, reach.state(config, weights, batch=batch, seed=seed)


@pytest.mark.parametrize("peephole", CELLS)
@pytest.mark.parametrize("sizes", [{"head": "layer", "bidirectional": True}, {"head": "lm", "vocabulary_size": 7}])
def test_float32_errs_as_far_as_its_roundings_spread(peephole, sizes):
    config = ModelConfig(peephole=peephole, input_size=9, hidden_size=9, num_layers=2, **sizes)
    weights, x, state = asked(config, seed=3, batch=200, time=2)
    runs = [reference.run(config, weights, x, state, dtype=dtype) for dtype in (np.float32, np.float64)]
    (y, after), (want, right) = runs
    for scale, got, exact in zip(spread(config, weights, x, state), (y, *after), (want, *right), strict=True):
        taken = np.abs(got - exact) / (U * scale)
        assert 0.1 < np.sqrt((taken**2).mean()) < 1  # a rounding is u at most, u / √12 to √3 in the mean
        assert taken.max() < bound.K["fp32"] / 2


def test_what_attention_reads_errs_no_further():
    config = ModelConfig(
        head="lm", peephole="full", attention=True, input_size=8, hidden_size=8, vocabulary_size=7, tie_weights=True
    )
    weights, x, state = asked(config, seed=3, time=4)
    got, want = (reference.run(config, weights, x, state, dtype=dtype)[0] for dtype in (np.float32, np.float64))
    logits, _, _ = spread(config, weights, x, state)
    assert logits.shape == want.shape
    assert (np.abs(got - want) / (U * logits)).max() < bound.K["fp32"] / 2


def test_a_model_whose_runs_are_right_by_luck_is_allowed_what_its_roundings_may_do():
    config = ModelConfig(head="layer", peephole="diagonal", input_size=1, hidden_size=1)
    factors = []
    for seed in range(20):
        weights, x, state = asked(config, seed=seed)
        plain, large = (expect(config, weights, x, state, large=large) for large in (False, True))
        factors += [b.bound / a.bound for a, b in zip(plain, large, strict=True)]
    assert min(factors) >= 1
    assert max(factors) > 3
