import numpy as np
import onnx
import onnx_ir as ir
import pytest
from onnx import TensorProto, helper, numpy_helper

from lstmbench.export import graph
from lstmbench.export.metadata import describe
from lstmbench.export.source import of_head
from lstmbench.model.weights import random_weights
from lstmbench.records import ModelConfig

E, H = 3, 4


@pytest.fixture
def ours(tmp_path):
    """Export random weights as a file of ours; `weights` may change them, `said` the metadata."""

    def ours(form, peephole, head="lm", *, weights=None, said=None, lengths=False, **sizes):
        sizes = {"input_size": 5, "hidden_size": 6, "vocabulary_size": 9 if head == "lm" else 0} | sizes
        config = ModelConfig(head=head, peephole=peephole, **sizes)
        held = random_weights(config, seed=3)
        source = of_head(head, config, held if weights is None else weights(held), lengths=lengths)
        model = graph.build(source, form)
        model.producer_name = "lstmbench"
        model.metadata_props.update(describe(source, form, "fp32", None) | (said or {}))
        path = tmp_path / "ours.onnx"
        path.write_bytes(ir.to_proto(model).SerializeToString())
        return path

    return ours


@pytest.fixture
def foreign(tmp_path):
    """Write a file as others would: nodes, inputs and outputs with shapes, constants by name."""

    def foreign(nodes, inputs, outputs, constants, *, opset=17, ir_version=8, domains=(), name="foreign.onnx"):
        made = helper.make_graph(
            nodes,
            "foreign",
            [helper.make_tensor_value_info(n, TensorProto.FLOAT, shape) for n, shape in inputs.items()],
            [helper.make_tensor_value_info(n, TensorProto.FLOAT, shape) for n, shape in outputs.items()],
            [numpy_helper.from_array(array, n) for n, array in constants.items()],
        )
        imports = [helper.make_opsetid("", opset), *(helper.make_opsetid(domain, 1) for domain in domains)]
        path = tmp_path / name
        path.write_bytes(helper.make_model(made, opset_imports=imports, ir_version=ir_version).SerializeToString())
        return path

    return foreign


@pytest.fixture
def lstm(foreign):
    """Write one LSTM operator; P as given, or none; more inputs by position's name."""

    def lstm(p=None, *, x=("T", "B", E), state=True, lengths=False, out=True, operator="LSTM", **attributes):
        rng = np.random.default_rng(0)
        gates = {"LSTM": 4, "GRU": 3, "RNN": 1}[operator]
        constants = {
            "W": rng.standard_normal((1, gates * H, E)).astype(np.float32),
            "R": rng.standard_normal((1, gates * H, H)).astype(np.float32),
        }
        inputs, outputs = {"x": x}, {"y": [None] * 4}
        given = ["x", "W", "R", "", "lengths" if lengths else ""]
        if state:
            inputs |= {"h0": (1, "B", H)} | ({"c0": (1, "B", H)} if operator == "LSTM" else {})
            given += ["h0", "c0"] if operator == "LSTM" else ["h0"]
        if p is not None:
            constants["P"] = p
            given += [""] * (7 - len(given)) + ["P"]
        if lengths:
            constants["lengths"] = np.array([2, 1], np.int32)
        made = ["y", "hn", "cn"] if operator == "LSTM" else ["y", "hn"]
        if out:
            outputs |= dict.fromkeys(made[1:], (1, "B", H))
        node = helper.make_node(operator, given, made, name="rec", hidden_size=H, **attributes)
        return foreign([node], inputs, outputs, constants)

    return lstm


@pytest.fixture
def change():
    """Change a file's protobuf in place."""

    def change(path, edit):
        proto = onnx.load_model(path, load_external_data=False)
        edit(proto)
        path.write_bytes(proto.SerializeToString())
        return path

    return change
