"""A file whose LSTM node clips, which the model does not, on an engine: told from the model, and its place is named."""

import numpy as np
import onnx
import onnx_ir as ir
import pytest

from lstmbench.check.cases import plan
from lstmbench.check.oracle import Oracle
from lstmbench.export import graph
from lstmbench.export.source import of_head
from lstmbench.model.weights import random_weights
from lstmbench.records import ModelConfig

ort = pytest.importorskip("onnxruntime")


def session(config, weights, clip):
    model = ir.to_proto(graph.build(of_head(config.head, config, weights), "lstm"))
    node = next(node for node in model.graph.node if node.op_type == "LSTM")
    node.attribute.extend([onnx.helper.make_attribute("clip", clip)] if clip else [])
    return ort.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])


@pytest.mark.parametrize("clip", [0.0, 3.0, 6.0, 10.0])
@pytest.mark.parametrize("peephole", ["diagonal", "none"])
def test_a_node_that_clips_is_told_from_the_model_and_one_that_does_not_passes(make, plugins, peephole, clip):
    import judging

    config = ModelConfig(head="layer", peephole=peephole, input_size=16, hidden_size=16)
    exported = make(config, seed=1, form="lstm")
    engine = judging.OfSession(session(config, random_weights(config, seed=1), clip), config)
    large = [case for case in plan(exported, ((1, 1),)) if case.state == "large"]
    refused = judging.refused(exported, Oracle(exported), large, engine)
    assert bool(refused) == bool(clip)
    assert not refused or np.isfinite(refused.max_error)
