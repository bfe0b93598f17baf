"""A draw against the distribution that it is drawn from, and its claim to be fragile against perturbed logits."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lstmbench.model.sampling import decode, draw, misfit, take

logits_of = st.lists(st.floats(-6, 6, width=32), min_size=2, max_size=12).map(lambda x: np.array(x, np.float32))

uniform_of = st.integers(0, 2**24 - 1).map(lambda n: n / 2**24)


def test_draws_follow_the_distribution():
    logits = np.array([0.0, 2.0, 1.0, -1.0], np.float32)
    grid = (np.arange(20_000) + 0.5) / 20_000
    tokens = [draw(logits, u, temperature=0.7, top_k=3, tolerance=0).token for u in grid]
    p = np.exp(logits[:3].astype(float) / 0.7)
    # an interval of the grid is off by one point at each edge
    np.testing.assert_allclose(np.bincount(tokens, minlength=4)[:3] / 20_000, p / p.sum(), atol=1e-4)
    assert 3 not in tokens


@given(logits_of, st.floats(0, 0.999999))
def test_temperature_zero_and_top_one_take_the_most_likely(logits, uniform):
    assert draw(logits, uniform, temperature=0, top_k=len(logits), tolerance=0).token == int(np.argmax(logits))
    assert draw(logits, uniform, temperature=1, top_k=1, tolerance=0).token == int(np.argmax(logits))


@settings(max_examples=300, deadline=None)
@given(
    logits_of,
    st.floats(0, 0.999999),
    st.sampled_from([0.0, 0.5, 1.0, 2.0]),
    st.integers(1, 12),
    st.sampled_from([1e-6, 1e-3, 0.05]),
    st.integers(0, 1000),
)
def test_a_draw_that_is_not_fragile_survives_the_tolerance(logits, uniform, temperature, top_k, tolerance, seed):
    top_k = min(top_k, len(logits))
    first = draw(logits, uniform, temperature=temperature, top_k=top_k, tolerance=tolerance)
    noise = np.random.default_rng(seed).uniform(-1, 1, (20, len(logits))) * tolerance * 0.99
    others = [
        draw((logits + n).astype(np.float32), uniform, temperature=temperature, top_k=top_k, tolerance=0).token
        for n in noise
    ]
    if not first.fragile:
        assert set(others) <= {first.token}


@pytest.mark.parametrize("uniform", [0.4999999, 0.5000001])
def test_a_draw_at_an_edge_is_fragile(uniform):
    logits = np.array([1.0, 1.0 - 1e-3], np.float32)
    edge = 1 / (1 + np.exp(-1e-3))
    assert draw(logits, edge + uniform - 0.5, temperature=1, top_k=2, tolerance=1e-5).fragile
    assert not draw(logits, 0.2, temperature=1, top_k=2, tolerance=1e-5).fragile


@settings(max_examples=300, deadline=None)
@given(
    logits_of,
    uniform_of,
    st.sampled_from([0.0, 0.5, 1.0, 2.0]),
    st.integers(0, 12),
    st.sampled_from([1e-6, 1e-3, 0.05, 2.0]),
    st.integers(0, 1000),
)
def test_what_logits_within_the_tolerance_draw_fits_within_it(logits, uniform, temperature, top_k, tolerance, seed):
    rule = {"temperature": temperature, "top_k": top_k}
    noise = np.random.default_rng(seed).uniform(-1, 1, (20, len(logits))) * tolerance
    for other in (logits + n for n in noise):
        token = take(other, uniform, **rule)
        assert misfit(logits, token, uniform, **rule) <= tolerance * (1 + 1e-6) + 1e-12


@settings(max_examples=200, deadline=None)
@given(
    logits_of,
    uniform_of,
    st.sampled_from([0.0, 0.5, 1.0]),
    st.integers(0, 12),
    st.integers(0, 11),
)
def test_a_token_fits_at_once_only_where_rounding_could_draw_it(logits, uniform, temperature, top_k, other):
    rule = {"temperature": temperature, "top_k": top_k}
    token, other = take(logits, uniform, **rule), other % len(logits)
    assert misfit(logits, token, uniform, **rule) == 0
    if other != token and misfit(logits, other, uniform, **rule) == 0:
        assert draw(logits, uniform, **rule, tolerance=1e-9).fragile


def test_how_far_logits_would_have_to_be_off():
    logits = np.array([1.0, 0.0, -1.0])
    assert misfit(logits, 2, 0.5, temperature=0, top_k=0) == 1.0  # both meet half way
    assert misfit(logits, 2, 0.999, temperature=1, top_k=2) == pytest.approx(0.5)  # must pass the second to be kept
    # at 0.1 the first, up to 0.665, is drawn: an edge moves by a quarter of exp(2ε) - 1 at most, or they change places
    assert misfit(logits, 1, 0.1, temperature=1, top_k=0) == pytest.approx(0.5)
    near = np.log1p(4 * (1 / (1 + np.exp(-1) + np.exp(-2)) - 0.66)) / 2
    assert misfit(logits, 1, 0.66, temperature=1, top_k=0) == pytest.approx(near, rel=1e-3)


def one_hot(tokens, state):
    """Logits of a model that counts: each token is followed by the next one, and the state is the last token read."""
    return np.eye(10)[(tokens + 1) % 10] * 50, tokens[:, -1]


def test_a_decode_reads_all_but_its_last_token():
    tokens, state = decode(
        one_hot, np.array([[7, 1], [2, 5]]), None, np.full((2, 3), 0.5, np.float32), temperature=1, top_k=0
    )
    assert tokens.tolist() == [[2, 3, 4], [6, 7, 8]]
    assert state.tolist() == [3, 7]
    assert tokens.dtype == np.int64


def test_each_row_is_drawn_at_its_own_number():
    def flat(tokens, state):
        return np.zeros((*tokens.shape, 4)), state

    uniform = np.array([[0.1, 0.3], [0.6, 0.9]], np.float32)
    tokens, _ = decode(flat, np.array([[0], [0]]), None, uniform, temperature=1, top_k=0)
    assert tokens.tolist() == [[0, 1], [2, 3]]
