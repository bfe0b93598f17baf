"""A sequence taken apart gives, row by row, what the whole gives."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lstmbench.model import reference, stimulus
from lstmbench.model.weights import random_weights
from lstmbench.parity import windows
from lstmbench.parity.windows import MOST
from lstmbench.records import ModelConfig


def model(peephole, seed, **sizes):
    config = ModelConfig(
        **{"head": "layer", "input_size": 3, "hidden_size": 4, "num_layers": 2} | sizes, peephole=peephole
    )
    return config, random_weights(config, seed=seed)


@settings(max_examples=60, deadline=None)
@given(
    peephole=st.sampled_from(["full", "diagonal", "none"]),
    bidirectional=st.booleans(),
    ragged=st.booleans(),
    steps=st.integers(1, 4),
    calls=st.integers(1, 5),
    batch=st.integers(1, 3),
    seed=st.integers(0, 99),
)
def test_each_row_starts_where_the_whole_stood_and_gives_its_steps(  # noqa: PLR0917 (what is drawn)
    peephole, bidirectional, ragged, steps, calls, batch, seed
):
    config, weights = model(peephole, seed, bidirectional=bidirectional)
    time = steps * calls
    x = stimulus.inputs(config, batch=batch, time=time, seed=seed)
    state = stimulus.state(config, batch=batch, seed=seed)
    lengths = stimulus.lengths(batch=batch, time=time, seed=seed) if ragged else None
    y, (h_n, c_n) = reference.run(config, weights, x, state, lengths=lengths)
    rows = windows(config, weights, x, state, steps=steps, lengths=lengths)
    got, (h, c) = reference.run(config, weights, rows.inputs, rows.state, lengths=rows.lengths)
    ends = np.full(batch, time) if lengths is None else lengths
    places = [(b, start) for b in range(batch) for start in range(0, time, steps) if start < ends[b]]
    assert len(got) == len(places)
    for row, (b, start) in zip(got, places, strict=True):
        assert np.abs(row - y[b, start : start + steps]).max() < 1e-6  # the state was rounded to float32
    last = [max(r for r, (b, _) in enumerate(places) if b == row) for row in range(batch)]
    assert np.abs(h[:: config.directions, last] - h_n[:: config.directions]).max() < 1e-6
    assert np.abs(c[:: config.directions, last] - c_n[:: config.directions]).max() < 1e-6


def test_more_steps_than_a_batch_may_hold_are_spread_evenly():
    config, weights = model("none", 0, num_layers=1)
    x = stimulus.inputs(config, batch=2, time=MOST, seed=0)
    rows = windows(config, weights, x)
    assert len(rows.inputs) == MOST
    assert np.array_equal(rows.inputs[0, 0], x[0, 0])
    assert np.array_equal(rows.inputs[-1, 0], x[-1, -1])


@pytest.mark.parametrize("peephole", ["full", "diagonal"])
def test_rows_of_a_language_model_are_tokens(peephole):
    config, weights = model(peephole, 1, head="lm", vocabulary_size=7)
    tokens = stimulus.inputs(config, batch=2, time=5, seed=0)
    rows = windows(config, weights, tokens)
    assert np.array_equal(rows.inputs, tokens.reshape(-1, 1))
    assert rows.state.h.dtype == rows.state.c.dtype == np.float32
