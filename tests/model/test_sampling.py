"""A draw against the distribution that it is drawn from, and its claim to be fragile against perturbed logits."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lstmbench.model.sampling import draw

logits_of = st.lists(st.floats(-6, 6, width=32), min_size=2, max_size=12).map(lambda x: np.array(x, np.float32))


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
