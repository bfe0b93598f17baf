"""The NumPy reference against equations written out by hand, and against laws that every cell obeys."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lstmbench.model import reference
from lstmbench.model.arithmetic import EXACT
from lstmbench.model.weights import parameter_count, random_weights
from lstmbench.records import ModelConfig

CELLS = ("full", "diagonal", "none")


def layer_config(peephole, **sizes):
    return ModelConfig(head="layer", peephole=peephole, **{"input_size": 3, "hidden_size": 4, **sizes})


def inputs(config, batch, time, seed=0):
    rng = np.random.default_rng(seed)
    x = rng.standard_normal((batch, time, config.input_size))
    h, c = rng.standard_normal((2, *config.state_shape(batch)))
    return x, (h, c)


def one_unit_by_hand(peephole, x, h, c):
    """One step of a cell with E = H = 1, every weight its own number, from the equations in FACTS' letters."""
    sigma = lambda z: 1 / (1 + np.exp(-z))  # noqa: E731
    W, U, b = (0.1, 0.2, 0.3, 0.4), (0.5, -0.6, 0.7, 0.8), (0.01, 0.02, 0.03, 0.04)
    zi, zf, zg, zo = (W[j] * x + U[j] * h + b[j] for j in range(4))
    P = {"full": (0.9, -1.0, 1.1, 1.2), "diagonal": (0.9, -1.0, 0.0, 0.0), "none": (0.0,) * 4}[peephole]
    zi, zf, zg, zo = zi + P[0] * c, zf + P[1] * c, zg + P[2] * c, zo + P[3] * c
    after = sigma(zf) * c + sigma(zi) * np.tanh(zg)
    if peephole == "diagonal":
        zo += 1.2 * after
    return sigma(zo) * np.tanh(after), after


@pytest.mark.parametrize("peephole", CELLS)
def test_one_unit_matches_the_equations_written_out(peephole):
    weights = {
        "lstm.weight_ih_l0": np.array([[0.1], [0.2], [0.3], [0.4]]),
        "lstm.weight_hh_l0": np.array([[0.5], [-0.6], [0.7], [0.8]]),
        "lstm.bias_ih_l0": np.array([0.01, 0.02, 0.03, 0.04]),
        "lstm.bias_hh_l0": np.zeros(4),
        "lstm.weight_ch_l0": np.array([[0.9], [-1.0], [1.1], [1.2]])
        if peephole == "full"
        else np.array([0.9, -1.0, 1.2]),
    }
    config = layer_config(peephole, input_size=1, hidden_size=1)
    y, (h, c) = reference.run(
        config, weights, np.full((1, 1, 1), 0.37), (np.full((1, 1, 1), 0.2), np.full((1, 1, 1), -0.8))
    )
    want_h, want_c = one_unit_by_hand(peephole, 0.37, 0.2, -0.8)
    np.testing.assert_allclose([y[0, 0, 0], h[0, 0, 0], c[0, 0, 0]], [want_h, want_h, want_c], rtol=1e-14)


@settings(max_examples=25, deadline=None)
@given(
    peephole=st.sampled_from(CELLS),
    layers=st.integers(1, 3),
    batch=st.integers(1, 4),
    cut=st.integers(1, 5),
    seed=st.integers(0, 99),
)
def test_two_calls_with_carried_state_equal_one(peephole, layers, batch, cut, seed):
    config = layer_config(peephole, num_layers=layers)
    weights = random_weights(config, seed=seed)
    x, state = inputs(config, batch, 6, seed)
    whole, end = reference.run(config, weights, x, state)
    first, middle = reference.run(config, weights, x[:, :cut], state)
    second, last = reference.run(config, weights, x[:, cut:], middle)
    # the same operations in the same order, but BLAS may sum differently for another shape: float64 rounding
    np.testing.assert_allclose(np.concatenate([first, second], 1), whole, atol=1e-13)
    np.testing.assert_allclose(last, end, atol=1e-13)


@settings(max_examples=25, deadline=None)
@given(peephole=st.sampled_from(CELLS), bidirectional=st.booleans(), seed=st.integers(0, 99))
def test_a_padded_row_equals_the_row_alone(peephole, bidirectional, seed):
    config = layer_config(peephole, num_layers=2, bidirectional=bidirectional)
    weights = random_weights(config, seed=seed)
    lengths = np.array([3, 5, 1])
    x, (h, c) = inputs(config, 3, 5, seed)
    y, (h_n, c_n) = reference.run(config, weights, x, (h, c), lengths=lengths)
    for row, length in enumerate(lengths):
        one = slice(row, row + 1)
        alone, (h_1, c_1) = reference.run(config, weights, x[one, :length], (h[:, one], c[:, one]))
        np.testing.assert_allclose(y[one, :length], alone, atol=1e-13)
        np.testing.assert_allclose((h_n[:, one], c_n[:, one]), (h_1, c_1), atol=1e-13)
        assert not y[row, length:].any()


@pytest.mark.parametrize("peephole", ["full", "diagonal", "none"])
def test_rows_that_start_together_compute_the_same(peephole):
    config = layer_config(peephole, num_layers=2, bidirectional=True)
    weights = random_weights(config, seed=2)
    x, state = inputs(config, 4, 5)
    how = {"lengths": np.array([3, 4, 1, 4])}
    y, after = reference.run(config, weights, x, state, **how)
    y_together, after_together = reference.run(
        config, weights, x, state, arithmetic=EXACT._replace(together=True), **how
    )
    np.testing.assert_allclose(y_together, y, atol=1e-13)
    np.testing.assert_allclose(after_together, after, atol=1e-13)


def test_the_reverse_direction_is_the_forward_one_on_reversed_time():
    both = layer_config("diagonal", bidirectional=True)
    weights = random_weights(both, seed=1)
    x, state = inputs(both, 2, 5)
    y, _ = reference.run(both, weights, x, state)
    turned = {name.removesuffix("_reverse"): w for name, w in weights.items() if name.endswith("_reverse")}
    backward, _ = reference.run(layer_config("diagonal"), turned, x[:, ::-1], (state[0][1:], state[1][1:]))
    np.testing.assert_allclose(y[..., 4:], backward[:, ::-1], atol=1e-13)


@pytest.mark.parametrize("peephole", ["full", "diagonal"])
def test_without_its_peepholes_the_cell_answers_otherwise(peephole):
    config = layer_config(peephole)
    weights = random_weights(config, seed=5)
    x, state = inputs(config, 2, 3)
    dropped = {**weights, "lstm.weight_ch_l0": np.zeros_like(weights["lstm.weight_ch_l0"])}
    with_p, _ = reference.run(config, weights, x, state)
    without, _ = reference.run(config, dropped, x, state)
    plain, _ = reference.run(layer_config("none"), dropped, x, state)
    assert np.abs(with_p - without).max() > 1e-2
    np.testing.assert_allclose(without, plain, atol=1e-15)


def test_float32_is_computed_in_float32():
    config = layer_config("full")
    y, (h, c) = reference.run(config, random_weights(config, seed=0), np.ones((1, 2, 3)), dtype=np.float32)
    assert (y.dtype, h.dtype, c.dtype) == (np.float32,) * 3


def test_parameter_counts_follow_from_the_sizes():
    sizes = {"input_size": 5, "hidden_size": 7}
    plain = 4 * 7 * (5 + 7) + 2 * 4 * 7
    assert parameter_count(layer_config("none", **sizes)) == plain
    assert parameter_count(layer_config("diagonal", **sizes)) == plain + 3 * 7
    assert parameter_count(layer_config("full", **sizes)) == plain + 4 * 7 * 7
