"""Where large sums come from: inputs and states that reach far, of any weights."""

import numpy as np
import pytest

from lstmbench.check import reach
from lstmbench.model.weights import random_weights
from lstmbench.records import ModelConfig


@pytest.mark.parametrize("gain", [0.1, 1.0, 4.0])
@pytest.mark.parametrize("peephole", ["full", "diagonal", "none"])
def test_features_and_cell_states_reach_far_and_h_stays_where_h_can_be(peephole, gain):
    config = ModelConfig(head="layer", peephole=peephole, input_size=30, hidden_size=20, num_layers=2)
    weights = random_weights(config, seed=0, gain=gain)
    x = reach.inputs(config, weights, batch=100, time=1, seed=0)
    h, c = reach.state(config, weights, batch=100, seed=0)
    P = weights.get("lstm.weight_ch_l1", np.eye(20, dtype=np.float32))
    of_c = c[1] @ P.T if P.ndim == 2 else c[1] * P.reshape(3, 1, 20)
    for sums in (x[:, 0] @ weights["lstm.weight_ih_l0"].T, of_c):
        assert np.sqrt((sums**2).mean()) == pytest.approx(reach.REACH, rel=0.2)
    assert np.abs(h).max() < 1
    assert {array.dtype for array in (x, h, c)} == {np.dtype(np.float32)}


def test_each_row_of_h_gives_nearly_the_largest_sum_that_a_row_of_weights_can():
    config = ModelConfig(head="lm", peephole="none", input_size=20, hidden_size=20, vocabulary_size=5)
    weights = random_weights(config, seed=0)
    h, _ = reach.state(config, weights, batch=reach.ROWS, seed=0)
    U = weights["lstm.weight_hh_l0"]
    sums = (h[0] @ U.T).reshape(reach.ROWS, 4, 20)
    most = np.abs(U).sum(axis=1).reshape(4, 20).max(axis=1)
    for row in range(reach.ROWS):
        gate, sign = row // 2 % 4, -1 if row % 2 else 1
        assert (sign * sums[row, gate]).max() > 0.6 * most[gate]


def test_weights_of_zero_reach_nowhere_and_are_asked_all_the_same():
    config = ModelConfig(head="layer", peephole="full", input_size=3, hidden_size=2)
    weights = {name: np.zeros_like(tensor) for name, tensor in random_weights(config, seed=0).items()}
    assert np.isfinite(reach.inputs(config, weights, batch=2, time=1, seed=0)).all()
    assert all(np.isfinite(array).all() for array in reach.state(config, weights, batch=2, seed=0))
