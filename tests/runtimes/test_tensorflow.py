"""TensorFlow and Keras, where it is installed: every cell, head and direction against the reference."""

import numpy as np
import pytest

from lstmbench.records import ModelConfig

tensorflow = pytest.importorskip("tensorflow")

SIZES = {"input_size": 6, "hidden_size": 6, "num_layers": 2}


def lm(peephole, **more):
    return ModelConfig(head="lm", peephole=peephole, vocabulary_size=11, **SIZES, **more)


@pytest.mark.parametrize("mode", ["TensorflowCpu", "TensorflowCpuEager", "TensorflowCpuXla"])
@pytest.mark.parametrize(
    ("model", "head"),
    [
        (lm("full"), "lm"),
        (lm("diagonal", tie_weights=True), "lm"),
        (ModelConfig(head="layer", peephole="diagonal", bidirectional=True, bias=False, **SIZES), "layer"),
    ],
)
def test_it_computes_what_the_reference_computes(make, assert_close, model, head, mode):
    from lstmbench.runtimes import tensorflow_cpu

    made = make(model, head=head)
    inputs, state = made.inputs(3, 7), made.state(3)
    runtime = getattr(tensorflow_cpu, mode)(made.exported, threads=1)
    assert_close(runtime.run(inputs, state), made.want(inputs, state))
    lengths = np.array([3, 7, 1], np.int32)
    assert_close(runtime.run(inputs, state, lengths=lengths), made.want(inputs, state, lengths))
    for ends in (None, lengths):
        held = runtime.hold(inputs, state, lengths=ends)
        held.compute()
        assert_close(held.answer(), made.want(inputs, state, ends))
    assert runtime.version == tensorflow.__version__
    runtime.close()
