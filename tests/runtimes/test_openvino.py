"""OpenVINO's own runtime where its environment is at hand, and what it tells of its nodes everywhere."""

from types import SimpleNamespace

import numpy as np
import pytest

from lstmbench import environments
from lstmbench.check import check
from lstmbench.errors import RuntimeMissingError
from lstmbench.model import folder
from lstmbench.model.weights import random_weights
from lstmbench.records import ModelConfig, ModelFolder, Placement
from lstmbench.runtimes.openvino_graph import OpenVinoGraph, placed


class Node:
    def __init__(self, name, kind, precision):
        self.get_friendly_name, self.get_names = lambda: name, lambda: {name}
        self.get_rt_info = lambda: {key: SimpleNamespace(value=value) for key, value in told.items()}
        told = {"layerType": kind, "runtimePrecision": precision}


class Compiled:
    """A compiled model that tells of these nodes, and answers with its inputs."""

    def __init__(self, *nodes):
        self.get_property = lambda name: {"EXECUTION_DEVICES": ["CPU"]}[name]
        self.get_runtime_model = lambda: SimpleNamespace(get_ops=lambda: nodes)
        self.outputs = [Node("y", "Output", "f32")]

    def __call__(self, feeds):
        return {self.outputs[0]: feeds["x"]}


def part(operator, precision="", *, recurrent=True):
    return Placement(provider="CPU", operator=operator, nodes=1, recurrent=recurrent, precision=precision)


def test_nodes_of_layers_and_sequences_recur_and_bear_their_precision():
    compiled = Compiled(
        Node("Constant_1", "Const", "f32"),
        Node("LSTMSequence_7", "RNNSeq", "bf16"),
        Node("l0.scan", "TensorIterator", "f32"),
        Node("l0.input_bias", "FullyConnected", "f32"),
        Node("logits", "FullyConnected", "f32"),
    )
    assert set(placed(compiled)) == {
        part("RNNSeq", "bfloat16"),
        part("TensorIterator"),
        part("FullyConnected", "float32"),
        part("FullyConnected", recurrent=False),
    }, "what a TensorIterator says is not told of its body"


def test_a_graph_answers_by_name():
    held = OpenVinoGraph(Compiled(), version="1")
    x = np.ones(3)
    assert held.run({"x": x}) == {"y": x}
    assert held.placement() == ()
    held.close()


@pytest.fixture(scope="module")
def openvino():
    """Skip, with the reason, where it is not at hand."""
    try:
        environments.choose("openvino-cpu")
    except RuntimeMissingError as error:
        pytest.skip(str(error))


def outcome(path, peephole, form, runtime="openvino-cpu"):
    from lstmbench.export import export

    config = ModelConfig(head="lm", vocabulary_size=7, peephole=peephole, input_size=5, hidden_size=12, num_layers=2)
    folder.write_config(path / peephole, ModelFolder(model=config))
    folder.write_weights(path / peephole, random_weights(config, seed=1), folder.WeightsNote(sha256=""))
    exported = export(path / peephole, form=form, precision="fp32")
    report = check([exported], [runtime], run=path / "run", shapes=[(2, 5)], progress=lambda _: None)
    return report.clearances[0]


def test_a_scan_is_right_in_float32(openvino, tmp_path):
    pytest.importorskip("onnxruntime")
    clearance = outcome(tmp_path, "full", "scan")
    assert not clearance.refused
    recurrent = [part for part in clearance.subject.placement if part.recurrent]
    assert {part.precision for part in recurrent} == {"", "float32"}
    assert "TensorIterator" in {part.operator for part in recurrent}


def test_peepholes_that_it_drops_are_told_at_load(openvino, tmp_path):
    pytest.importorskip("onnxruntime")
    assert outcome(tmp_path, "diagonal", "lstm").refused.startswith("it drops the peepholes of the LSTM operator")


def test_bfloat16_is_a_mode_of_its_own_and_out_of_the_bound_of_float32(openvino, tmp_path):
    pytest.importorskip("onnxruntime")
    refused = outcome(tmp_path, "none", "lstm", "openvino-cpu-bf16").refused
    assert "failed the check" in refused or "asked OpenVINO for bf16, it computes in float32" in refused
