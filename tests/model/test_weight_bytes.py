"""Bytes of all weights, against those of the arrays themselves."""

import pytest

from lstmbench.model.demand import weight_bytes
from lstmbench.model.weights import random_weights
from lstmbench.records import ModelConfig


@pytest.mark.parametrize("peephole", ["full", "diagonal", "none"])
def test_every_weight_counts_in_the_precision_that_it_is_held_in(peephole):
    config = ModelConfig(head="lm", vocabulary_size=7, peephole=peephole, input_size=5, hidden_size=6, num_layers=2)
    arrays = random_weights(config, seed=0)
    assert weight_bytes(config, "fp32") == sum(array.nbytes for array in arrays.values())
    assert weight_bytes(config, "fp16") == sum(array.nbytes // 2 for array in arrays.values())
    matrices = sum(array.size for name, array in arrays.items() if array.ndim == 2 and name != "embedding.weight")
    assert weight_bytes(config, "int8") == weight_bytes(config, "fp32") - 3 * matrices
