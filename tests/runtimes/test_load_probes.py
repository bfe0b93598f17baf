"""The two questions at load, to engines that are right and to each that is known to be wrong."""

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from lstmbench.arrays import State
from lstmbench.errors import WorkerError
from lstmbench.model import reference
from lstmbench.model.weights import random_weights
from lstmbench.records import ModelConfig
from lstmbench.runtimes import load_probes

LM = ModelConfig(head="lm", vocabulary_size=5, peephole="diagonal", input_size=3, hidden_size=4, num_layers=2)
LAYER = ModelConfig(head="layer", peephole="diagonal", input_size=3, hidden_size=4, bidirectional=True)


def engine(config, *, peepholes=True):
    weights = random_weights(config, seed=1)
    if not peepholes:
        weights = {name: 0 * array if "weight_c" in name else array for name, array in weights.items()}

    def run(inputs, state):
        output, (h, c) = reference.run(config, weights, inputs, state, dtype=np.float32)
        return output, State(h, c)

    return run


def last_step_only(inputs, state):
    output, after = engine(LM)(inputs, state)
    return output[:, -1:], after


def frozen(inputs, state):
    return engine(LM)(inputs[:, :3], state)


def frozen_and_says_so(inputs, state):
    if inputs.shape[1] != 3:
        raise ValueError("got 5,\nexpected 3")
    return engine(LM)(inputs, state)


@pytest.mark.parametrize("config", [LM, LAYER])
def test_an_engine_that_is_right_passes_both(recorded, config):
    export, right, without = recorded(config, form="lstm"), engine(config), engine(config, peepholes=False)
    load_probes.demand_lengths(export, right)
    load_probes.demand_peepholes(export, right, without)


@pytest.mark.parametrize("config", [LM, LAYER])
def test_an_engine_that_drops_the_peepholes_is_refused(recorded, config):
    dropping = engine(config, peepholes=False)
    with pytest.raises(WorkerError, match="it drops the peepholes of the LSTM operator: its answer is that of P = 0"):
        load_probes.demand_peepholes(recorded(config, form="lstm"), dropping, dropping)


@pytest.mark.parametrize(
    ("run", "why"),
    [
        (last_step_only, "at T = 3 it answers 1 steps"),
        (frozen, "at T = 5 it answers 3 steps: T is frozen"),
        (frozen_and_says_so, "fails at T = 5: got 5, expected 3"),
    ],
)
def test_an_engine_that_answers_another_length_is_refused(recorded, run, why):
    with pytest.raises(WorkerError, match=why):
        load_probes.demand_lengths(recorded(LM), run)


def test_where_t_is_fixed_no_other_is_asked_for(recorded):
    load_probes.demand_lengths(recorded(LM, form="unrolled3"), frozen_and_says_so)
    with pytest.raises(WorkerError, match="fails at T = 1"):
        load_probes.demand_lengths(recorded(LM, form="step"), frozen_and_says_so)


def graph(*peepholes):
    """An LSTM node for each P; None for a node that has none."""
    nodes = [
        helper.make_node("LSTM", ["x", "W", "R", *([] if p is None else ["", "", "", "", f"P{n}"])], [f"y{n}"])
        for n, p in enumerate(peepholes)
    ]
    tensors = [numpy_helper.from_array(p, f"P{n}") for n, p in enumerate(peepholes) if p is not None]
    x = helper.make_tensor_value_info("x", TensorProto.FLOAT, None)
    return helper.make_model(helper.make_graph(nodes, "g", [x], [], tensors)).SerializeToString()


def test_every_p_and_nothing_else_is_taken_away():
    p = np.arange(6, dtype=np.float32)[None]
    without = onnx.load_model_from_string(load_probes.without_peepholes(graph(p, None, p + 1)))
    arrays = [numpy_helper.to_array(tensor) for tensor in without.graph.initializer]
    assert [(array.shape, array.any()) for array in arrays] == [((1, 6), False)] * 2
    assert len(without.graph.node) == 3


def test_a_graph_without_peepholes_has_no_other_to_be_told_from():
    assert load_probes.without_peepholes(graph(None)) is None
    assert load_probes.without_peepholes(graph(np.zeros((1, 6), np.float32))) is None, (
        "zero already: nothing is dropped"
    )
