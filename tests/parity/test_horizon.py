"""What of a run is judged: all of it where the recurrence contracts, the first steps where it does not."""

import numpy as np
import pytest

from lstmbench.model import reference, stimulus
from lstmbench.model.weights import random_weights
from lstmbench.parity.horizon import FEW, Horizon, horizon
from lstmbench.records import ModelConfig


def seen(peephole, gain, *, time=64, seed=0, hidden_size=48, **sizes):
    config = ModelConfig(head="layer", peephole=peephole, input_size=hidden_size, hidden_size=hidden_size, **sizes)
    weights = random_weights(config, seed=seed, gain=gain)
    x, state = (
        stimulus.inputs(config, batch=2, time=time, seed=seed),
        stimulus.state(config, batch=2, seed=seed),
    )
    return judged(config, weights, x, state)


def judged(config, weights, x, state):
    trace = []
    _, after = reference.run(config, weights, x, state, trace=trace)
    return horizon(config, weights, x, state, None, (trace, after))


@pytest.mark.parametrize("bidirectional", [False, True])
@pytest.mark.parametrize("peephole", ["full", "diagonal", "none"])
def test_a_cell_that_contracts_is_judged_over_all_of_a_run(peephole, bidirectional):
    assert seen(peephole, 0.5, bidirectional=bidirectional) == Horizon(64, states=True)


@pytest.mark.parametrize("seed", range(5))
def test_of_a_chaotic_cell_some_steps_are_judged_and_no_state(seed):
    steps, states = seen("full", 3.0, seed=seed, num_layers=2)
    assert FEW <= steps < 64
    assert not states


def test_of_a_chaotic_cell_in_both_directions_nothing_is():
    assert seen("full", 3.0, num_layers=2, bidirectional=True) == Horizon(0, states=False)


@pytest.mark.parametrize("time", range(1, FEW + 1))
def test_few_steps_are_judged_whatever_the_cell(time):
    assert seen("full", 5.0, time=time, num_layers=2) == Horizon(time, states=True)


def test_a_cell_that_float32_cannot_hold_is_judged_over_few_steps_and_its_bound_lets_nothing_pass():
    config = ModelConfig(head="layer", peephole="full", input_size=3, hidden_size=4)
    weights = {name: np.full_like(w, 3e38) for name, w in random_weights(config, seed=0).items()}
    x, state = stimulus.inputs(config, batch=1, time=9, seed=0), stimulus.state(config, batch=1, seed=0)
    with np.errstate(over="ignore", invalid="ignore"):
        assert judged(config, weights, x, state).steps >= FEW
