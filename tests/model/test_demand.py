"""What the equations need, counted by hand and by the products of the reference itself."""

import pytest

from lstmbench.model import demand, reference, stimulus
from lstmbench.model.weights import random_weights
from lstmbench.records import ModelConfig

LAYER = {"head": "layer", "input_size": 3, "hidden_size": 5}
LM = {"head": "lm", "input_size": 5, "hidden_size": 5, "vocabulary_size": 7}


@pytest.mark.parametrize(("peephole", "recurrent"), [("none", 20 * 5), ("diagonal", 20 * 5 + 15), ("full", 2 * 20 * 5)])
def test_one_layer_by_hand(peephole, recurrent):
    need = demand.of_call(ModelConfig(peephole=peephole, **LAYER), batch=2, time=4)
    whole = recurrent + 20 * 3
    assert need == (2 * 2 * 4 * whole, whole, 4 * recurrent + 20 * 3)


def test_of_one_step_every_weight_is_read_once():
    need = demand.of_call(ModelConfig(peephole="full", num_layers=2, **LAYER), batch=1, time=1)
    assert need.reads == need.weights


@pytest.mark.parametrize("tied", [False, True])
def test_a_projection_counts_and_a_lookup_does_not(tied):
    sizes = LM | {"peephole": "none", "tie_weights": tied}
    assert demand.of_call(ModelConfig(**sizes), batch=1, time=1).weights == 20 * 5 + 20 * 5 + 7 * 5


@pytest.mark.parametrize("changes", [{}, {"num_layers": 2, "bidirectional": True}, {"peephole": "diagonal"}])
def test_operations_are_those_of_the_reference(monkeypatch, changes):
    """Counted while it walks, from the weights that each of its steps holds."""
    config = ModelConfig(**{"peephole": "full", **LAYER, **changes})
    step, counted = reference.cell, []

    def counting(layer, x, h, c, *rest):
        weights_of_it = (layer.W, layer.U) if layer.P is None else (layer.W, layer.U, layer.P)
        counted.append(2 * len(h) * sum(array.size for array in weights_of_it))
        return step(layer, x, h, c, *rest)

    monkeypatch.setattr(reference, "cell", counting)
    reference.run(config, random_weights(config, seed=0), stimulus.inputs(config, batch=2, time=4, seed=0))
    assert sum(counted) == demand.of_call(config, batch=2, time=4).operations
