"""Codes stand for the matrix that they were made of, within half a step, and no other number format is nearer."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from lstmbench.model import arithmetic, reference, rounding, stimulus
from lstmbench.model.weights import random_weights
from lstmbench.records import ModelConfig

MATRICES = arrays.arrays(
    np.float32,
    st.tuples(st.integers(1, 5), st.integers(1, 70)),
    elements=st.floats(-1e3, 1e3, width=32),
)
INTEGERS = ("int8", "int4", "int4a8")


@pytest.mark.parametrize("precision", INTEGERS)
@given(matrix=MATRICES)
def test_what_codes_stand_for_is_half_a_step_away_at_most(precision, matrix):
    stored = rounding.codes_of(matrix, precision)
    step = np.repeat(np.abs(stored.scales), stored.block, axis=1)[:, : matrix.shape[1]]
    limit = np.where(np.abs(stored.codes) == 7, 1.0, 0.5) if precision != "int8" else 0.5  # int4 reaches from -8 to 7
    assert (np.abs(rounding.restore(stored) - matrix) <= limit * step * (1 + 1e-5) + rounding.TINY).all()


@pytest.mark.parametrize("precision", INTEGERS)
@given(matrix=MATRICES)
def test_what_was_rounded_once_is_rounded_no_more(precision, matrix):
    once = rounding.restore(rounding.codes_of(matrix, precision))
    assert np.allclose(rounding.restore(rounding.codes_of(once, precision)), once, rtol=1e-5, atol=0)


def test_a_row_of_zeros_stays_zero():
    for precision in INTEGERS:
        assert not rounding.restore(rounding.codes_of(np.zeros((2, 40), np.float32), precision)).any()


@pytest.mark.parametrize("precision", ["fp16", *INTEGERS])
@pytest.mark.parametrize("peephole", ["full", "diagonal"])
def test_a_rounded_model_computes_nearly_the_same(peephole, precision):
    config = ModelConfig(
        head="lm", peephole=peephole, input_size=20, hidden_size=20, vocabulary_size=9, tie_weights=True
    )
    weights = random_weights(config, seed=1)
    tokens = stimulus.inputs(config, batch=2, time=5, seed=2)
    want, _ = reference.run(config, weights, tokens)
    got, _ = reference.run(*rounding.rounded(config, weights, precision), tokens)
    error = np.abs(got - want).max() / np.abs(want).max()
    assert 0 < error < {"fp16": 1e-3, "int8": 2e-2}.get(precision, 0.3)


def test_rows_share_a_scale_where_a_node_counts_and_only_if_it_does_little():
    rng = np.random.default_rng(0)
    alike = rng.normal(size=(8, 60)).astype(np.float32)
    unlike = alike * np.geomspace(0.01, 1, 8, dtype=np.float32)[:, None]
    for matrix, scales in ((alike, 1), (unlike, 1)):
        assert len(np.unique(rounding.codes_of(matrix, "int8").scales)) == 8
        assert len(np.unique(rounding.codes_of(matrix, "int8", hot=True).scales)) == scales
    unlike[0, 0] = 50  # one weight that stands out would cost all others their bits
    assert len(np.unique(rounding.codes_of(unlike, "int8", hot=True).scales)) == 8


def test_peepholes_of_a_full_cell_share_their_rows_scale_with_the_recurrent_matrix():
    config = ModelConfig(head="layer", peephole="full", input_size=3, hidden_size=4)
    weights = random_weights(config, seed=1)
    weights["lstm.weight_ch_l0"] = weights["lstm.weight_ch_l0"] * 1e3  # so that U vanishes beside it
    _, rounded = rounding.rounded(config, weights, "int8")
    assert not rounded["lstm.weight_hh_l0"].any()
    assert rounded["lstm.weight_ch_l0"].any()
    assert np.array_equal(rounded["lstm.bias_ih_l0"], weights["lstm.bias_ih_l0"])


def test_tied_weights_part_where_the_projection_is_rounded():
    config = ModelConfig(head="lm", peephole="none", input_size=4, hidden_size=4, vocabulary_size=9, tie_weights=True)
    weights = random_weights(config, seed=1)
    apart, rounded = rounding.rounded(config, weights, "int8")
    assert not apart.tie_weights
    assert np.array_equal(rounded["embedding.weight"], weights["embedding.weight"])
    assert not np.array_equal(rounded["decoder.weight"], weights["embedding.weight"])


@given(values=arrays.arrays(np.float32, (3, 4, 5), elements=st.floats(-100, 100, width=32)))
def test_activations_keep_to_their_eight_bits_in_every_call(values):
    rounded = arithmetic.of("int8", (1, 3)).inputs(values)
    for piece, whole in ((rounded[:, :1], values[:, :1]), (rounded[:, 1:], values[:, 1:])):
        step = (max(whole.max(), 0) - min(whole.min(), 0)) / 255
        assert len(np.unique(piece)) <= 256
        # half a step, and a half where the zero was rounded
        assert np.abs(piece - whole).max() <= step * 1.001 + rounding.TINY
    off = np.abs(arithmetic.of("int4a8", ()).inputs(values) - values).reshape(12, 5).max(axis=1)
    assert (off <= np.abs(values).reshape(12, 5).max(axis=1) / 254 * 1.001 + rounding.TINY).all()
