"""Our adapters hold a call as they run it."""

import numpy as np
import pytest

from lstmbench.records import ModelConfig
from lstmbench.runtimes import load

SIZES = {"peephole": "diagonal", "input_size": 3, "hidden_size": 4, "num_layers": 2}
LM = ModelConfig(head="lm", vocabulary_size=5, **SIZES)


@pytest.mark.parametrize("name", ["numpy", pytest.param("torch", marks=pytest.mark.torch)])
@pytest.mark.parametrize("lengths", [None, np.array([2, 6, 1], np.int32)])
def test_a_held_call_answers_as_the_call_does(make, name, lengths):
    made = make(LM, head="lm")
    runtime = load(name)(made.exported, threads=1)
    other = runtime.hold(made.inputs(3, 6, seed=9), None)
    other.compute()
    for state in (None, made.state(3)):
        held = runtime.hold(made.inputs(3, 6), state, lengths=lengths)
        held.compute()
        output, (h, c) = held.answer()
        want, (h_n, c_n) = runtime.run(made.inputs(3, 6), state, lengths=lengths)
        for got, expected in ((output, want), (h, h_n), (c, c_n)):
            np.testing.assert_array_equal(got, expected)
    runtime.close()
