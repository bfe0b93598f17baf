"""Attention over past states: the equations, what a step may see, and PyTorch beside NumPy."""

import hypothesis.strategies as st
import msgspec
import numpy as np
import pytest
from hypothesis import given, settings

from lstmbench.model import reference, stimulus
from lstmbench.model.attention import attend, softmax
from lstmbench.model.demand import of_call
from lstmbench.model.weights import COMBINE, SCORE, expected_shapes, random_weights
from lstmbench.parity import reorder
from lstmbench.records import ModelConfig

H = 6


def lm(peephole="diagonal", **sizes):
    sizes = {"input_size": 5, "hidden_size": H, "vocabulary_size": 9, "attention": True} | sizes
    return ModelConfig(head="lm", peephole=peephole, **sizes)


def one_step(A, C, h, t):
    """The equations of one row, a step at a time: h (T, H) -> r_t (H,)."""
    e = [h[t] @ A @ h[s] / np.sqrt(len(A)) for s in range(t + 1)]
    a = np.exp(e) / np.exp(e).sum()
    v = sum(share * h[s] for s, share in enumerate(a))
    return np.tanh(C @ np.concatenate([v, h[t]]))


@settings(max_examples=30, deadline=None)
@given(B=st.integers(1, 3), T=st.integers(1, 6), seed=st.integers(0, 99))
def test_each_step_reads_itself_and_those_before(B, T, seed):
    rng = np.random.default_rng(seed)
    A, C, h = (rng.standard_normal(shape) for shape in ((H, H), (H, 2 * H), (B, T, H)))
    want = [[one_step(A, C, row, t) for t in range(T)] for row in h]
    np.testing.assert_allclose(attend({SCORE: A, COMBINE: C}, h), want, rtol=0, atol=1e-13)


@settings(max_examples=20, deadline=None)
@given(T=st.integers(1, 7), seed=st.integers(0, 99))
def test_the_order_in_which_past_states_are_summed_is_no_matter(T, seed):
    rng = np.random.default_rng(seed)
    A, C, h = (rng.standard_normal(shape) for shape in ((H, H), (H, 2 * H), (2, T, H)))
    weights = {SCORE: A, COMBINE: C}
    got = attend(weights, h, past=rng.permutation(T))
    np.testing.assert_allclose(got, attend(weights, h), rtol=0, atol=1e-13)


@settings(max_examples=20, deadline=None)
@given(T=st.integers(2, 8), at=st.integers(1, 7), seed=st.integers(0, 99))
def test_what_comes_later_changes_nothing_before(T, at, seed):
    at, config = min(at, T - 1), lm("full")
    weights, tokens = random_weights(config, seed=seed), stimulus.tokens(config, batch=2, time=T, seed=seed)
    other = tokens.copy()
    other[:, at:] = (other[:, at:] + 1) % 9
    one, another = (reference.run(config, weights, x)[0] for x in (tokens, other))
    np.testing.assert_array_equal(one[:, :at], another[:, :at])
    assert (one[:, at:] != another[:, at:]).any()


def test_the_states_are_those_of_the_model_without_it():
    config = lm("full", num_layers=2)
    weights, tokens = random_weights(config, seed=1), stimulus.tokens(config, batch=3, time=7, seed=1)
    plain = msgspec.structs.replace(config, attention=False)
    _, (h, c) = reference.run(config, weights, tokens)
    _, (h_plain, c_plain) = reference.run(plain, weights, tokens)
    np.testing.assert_array_equal(h, h_plain)
    np.testing.assert_array_equal(c, c_plain)


def test_a_sequence_in_two_calls_is_another_function_and_says_so():
    config = lm()
    weights, tokens = random_weights(config, seed=1), stimulus.tokens(config, batch=3, time=6, seed=1)
    whole, (h, c) = reference.run(config, weights, tokens)
    first, state = reference.run(config, weights, tokens[:, :3])
    second, (h_2, c_2) = reference.run(config, weights, tokens[:, 3:], state)
    np.testing.assert_array_equal(first, whole[:, :3])
    np.testing.assert_allclose(h_2, h, atol=1e-15)
    np.testing.assert_allclose(c_2, c, atol=1e-15)
    assert np.abs(second - whole[:, 3:]).max() > 1e-3
    assert "cut in pieces, a sequence is another function" in config.uncut
    assert not msgspec.structs.replace(config, attention=False).uncut


def test_a_row_that_ends_is_read_as_if_it_stood_alone():
    config, lengths = lm("full", num_layers=2), np.array([5, 2, 7])
    weights, tokens = random_weights(config, seed=2), stimulus.tokens(config, batch=3, time=7, seed=2)
    logits, _ = reference.run(config, weights, tokens, lengths=lengths)
    for row, end in enumerate(lengths):
        alone, _ = reference.run(config, weights, tokens[row : row + 1, :end])
        np.testing.assert_allclose(logits[row, :end], alone[0], rtol=0, atol=1e-14)
        np.testing.assert_array_equal(logits[row, end:], np.tile(weights["decoder.bias"], (7 - end, 1)))


@pytest.mark.parametrize("tied", [False, True])
def test_with_units_and_past_states_in_another_order_it_is_the_same_function(tied):
    config = lm("full", tie_weights=tied, input_size=H, num_layers=2)
    weights, tokens = random_weights(config, seed=3), stimulus.tokens(config, batch=2, time=9, seed=3)
    state = stimulus.state(config, batch=2, seed=3)
    orders = reorder.draw(config, np.random.default_rng(0))
    assert orders.past is not None
    want, after = reference.run(config, weights, tokens, state)
    got = reorder.run_float32(config, weights, tokens, state, orders)
    for one, other in zip(got, (want, *after), strict=True):
        np.testing.assert_allclose(one, other, rtol=0, atol=5e-6)


def test_softmax_of_large_scores_is_finite():
    np.testing.assert_allclose(softmax(np.array([[1e4, 1e4, -np.inf]])), [[0.5, 0.5, 0]])


def test_bare_layers_have_no_attention():
    with pytest.raises(ValueError, match="attention needs head 'lm'"):
        ModelConfig(head="layer", peephole="none", input_size=5, hidden_size=H, attention=True)
    assert set(expected_shapes(lm().layers_only())).isdisjoint({SCORE, COMBINE})


def test_its_products_are_counted():
    """Of 4 steps: 10 pairs are compared, and as many added up, H multiplications each; A has H², C 2 H²."""
    plain = msgspec.structs.replace(lm(), attention=False)
    more = of_call(lm(), batch=3, time=4).operations - of_call(plain, batch=3, time=4).operations
    assert more == 2 * 3 * (4 * 3 * H**2 + 2 * 10 * H)


@pytest.mark.torch
@pytest.mark.parametrize("peephole", ["full", "diagonal", "none"])
@pytest.mark.parametrize("T", [1, 40])
def test_the_module_is_what_the_reference_is(peephole, T):
    torch = pytest.importorskip("torch")
    from lstmbench.model.language_model import LanguageModel

    config = lm(peephole, num_layers=2)
    weights, tokens = random_weights(config, seed=5), stimulus.tokens(config, batch=3, time=T, seed=5)
    model = LanguageModel(config).double()
    model.load_weights(weights)
    want, _ = reference.run(config, weights, tokens)
    got, _ = model(torch.from_numpy(tokens))
    np.testing.assert_allclose(got.detach(), want, rtol=0, atol=1e-12)


@pytest.mark.torch
def test_the_module_differentiates_and_saves_itself():
    torch = pytest.importorskip("torch")
    from lstmbench.model.language_model import LanguageModel

    config = lm("full")
    torch.manual_seed(0)
    model = LanguageModel(config)
    assert {name: array.shape for name, array in model.weights().items()} == expected_shapes(config)
    model(torch.from_numpy(stimulus.tokens(config, batch=2, time=5, seed=0)))[0].square().mean().backward()
    assert all(p.grad is not None and p.grad.abs().max() > 0 for p in model.attention.parameters())
