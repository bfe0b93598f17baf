"""Engines that take the checkpoint's weights: right, and with each mistake that is asked for at load."""

from functools import partial

import numpy as np
import pytest

from lstmbench.arrays import State
from lstmbench.errors import CheckpointError, WorkerError
from lstmbench.model import reference
from lstmbench.records import ModelConfig
from lstmbench.runtimes.held_call import HeldCall
from lstmbench.runtimes.recurrent_weights import layers, without_peepholes
from lstmbench.runtimes.weights_engine import WeightsEngine

LM = ModelConfig(head="lm", peephole="diagonal", vocabulary_size=11, input_size=3, hidden_size=4, num_layers=2)


class Right:
    def __init__(self, weights):
        self._weights = weights

    def __call__(self, inputs, state, lengths):
        output, (h, c) = reference.run(LM, self._weights, inputs, state, lengths=lengths, dtype=np.float32)
        return output, State(h, c)

    def hold(self, inputs, state, lengths):
        return HeldCall(partial(self, inputs, state, lengths), told=lambda answer: answer)


def without_p(weights):
    return Right(without_peepholes(weights) or weights)


def last_step_only(weights):
    def compute(inputs, state, lengths):
        output, after = Right(weights)(inputs, state, lengths)
        return output[:, -1:], after

    return compute


def test_one_that_is_right_is_taken_and_draws_like_any_other(make, assert_close):
    made = make(LM)
    engine = WeightsEngine(made.exported, Right)
    inputs, state, lengths = made.inputs(3, 5), made.state(3), np.array([3, 5, 1], np.int32)
    assert_close(engine.run(inputs, state), made.want(inputs, state))
    assert_close(engine.run(inputs, None, lengths=lengths), made.want(inputs, None, lengths))
    for state_or_none in (state, None):
        held = engine.hold(inputs, state_or_none, lengths=lengths)
        held.compute()
        assert_close(held.answer(), made.want(inputs, state_or_none, lengths))
    tokens, _ = engine.generate(inputs, None, np.zeros((3, 2), np.float32), temperature=0, top_k=0)
    assert tokens[:, 0].tolist() == made.want(inputs, None)[0][:, -1].argmax(-1).tolist()
    assert engine.placement() == ()
    engine.close()


@pytest.mark.parametrize(
    ("planted", "message"),
    [(without_p, "its cell drops the peepholes"), (last_step_only, "at T = 3 it answers 1 steps")],
)
def test_one_that_is_wrong_is_refused_at_load(make, planted, message):
    with pytest.raises(WorkerError, match=message):
        WeightsEngine(make(LM).exported, planted)


def test_weights_trained_again_since_the_export_are_refused(make):
    made = make(LM)
    made.retrain(seed=8)
    with pytest.raises(CheckpointError, match="export again"):
        WeightsEngine(made.exported, Right)


@pytest.mark.parametrize("peephole", ["full", "diagonal", "none"])
@pytest.mark.parametrize("bias", [True, False])
def test_weights_as_frameworks_multiply_are_those_of_the_reference(make, peephole, bias):
    config = ModelConfig(
        head="layer", peephole=peephole, bias=bias, bidirectional=True, input_size=3, hidden_size=4, num_layers=2
    )
    weights = make(config).weights
    found = layers(config, weights)
    assert len(found) == 4
    for row, layer in enumerate(found):
        want = reference.layer_of(config, weights, row // 2, row % 2, np.float32)
        assert np.array_equal(layer.W, want.W.T)
        assert np.array_equal(layer.U[:4], want.U.T)
        assert np.array_equal(layer.b, want.b)
        assert len(layer.U) == (8 if peephole == "full" else 4)
        if peephole == "full":
            assert np.array_equal(layer.U[4:], want.P.T)
        if peephole == "diagonal":
            assert np.array_equal(layer.p.ravel(), want.P)
