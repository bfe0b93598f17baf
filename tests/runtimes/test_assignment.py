"""In which precision recurrent nodes compute, as the session runs them and not as the file says."""

from types import SimpleNamespace

import numpy as np
import onnx
import pytest
from onnx import helper, numpy_helper

from lstmbench.export import export
from lstmbench.model import folder
from lstmbench.model.weights import random_weights
from lstmbench.records import ModelConfig, ModelFolder, strays
from lstmbench.records.check import UNTOLD
from lstmbench.runtimes import assignment

pytest.importorskip("onnxruntime")
import onnxruntime as ort

from lstmbench.runtimes.onnxruntime_cpu import OnnxRuntimeCpu
from lstmbench.runtimes.onnxruntime_graph import OnnxRuntimeGraph

pytestmark = pytest.mark.skipif(
    not hasattr(ort.InferenceSession, "get_provider_graph_assignment_info"), reason="it cannot tell"
)


@pytest.fixture
def placed(tmp_path):
    def placed(cell, form, precision):
        config = ModelConfig(head="layer", peephole=cell, input_size=32, hidden_size=32)
        folder.write_config(tmp_path, ModelFolder(model=config))
        folder.write_weights(tmp_path, random_weights(config, seed=1), folder.WeightsNote(sha256=""))
        return OnnxRuntimeCpu(export(tmp_path, form=form, precision=precision), threads=1).placement()

    return placed


@pytest.mark.parametrize(
    ("cell", "form", "precision", "operator", "want"),
    [
        ("diagonal", "lstm", "fp32", "LSTM", {"float32"}),
        ("diagonal", "lstm", "fp16", "LSTM", {"float32"}),  # the CPU has no float16 kernel
        ("full", "scan", "fp16", "Gemm", {"float32"}),
        ("diagonal", "lstm", "int8", "DynamicQuantizeLSTM", {"int8"}),
        ("full", "step", "int4", "MatMulNBits", {"int4"}),
    ],
)
def test_the_precision_is_the_one_that_ran(placed, cell, form, precision, operator, want):
    parts = placed(cell, form, precision)
    there = [part for part in parts if part.operator == operator]
    assert there
    assert all(part.recurrent for part in there)
    assert {part.precision for part in there} == want


def test_nodes_of_a_scans_body_recur_and_those_of_the_ends_do_not(placed):
    parts = placed("full", "scan", "fp32")
    assert all(part.recurrent for part in parts if part.operator in ("Scan", "Gemm", "Sigmoid", "Tanh"))
    assert all(part.precision == "" for part in parts if not part.recurrent)
    assert any(not part.recurrent for part in parts)


TENSORRT, CUDA = "TensorrtExecutionProvider", "CUDAExecutionProvider"


class Told:
    """A session of a machine with a GPU, as far as it is asked where nodes went."""

    def __init__(self, *parts):
        self.parts = parts

    def get_provider_graph_assignment_info(self):
        return [
            SimpleNamespace(
                ep_name=provider,
                get_nodes=lambda nodes=nodes: [SimpleNamespace(op_type=op, name=name) for op, name in nodes],
            )
            for provider, nodes in self.parts
        ]


PRODUCT, MOVE, SCAN = ("MatMul", "l0.recurrence"), ("Gather", "l0.h_0"), ("Scan", "l0.scan")


@pytest.mark.parametrize(
    ("parts", "elsewhere"),
    [
        ([(TENSORRT, [PRODUCT, MOVE])], ()),
        ([(TENSORRT, [PRODUCT]), (CUDA, [("Transpose", "head.t")])], ()),
        ([(TENSORRT, [("MatMul", "head.projection")]), (CUDA, [PRODUCT])], (CUDA,)),
        ([(TENSORRT, [PRODUCT]), ("CPUExecutionProvider", [SCAN])], ("CPUExecutionProvider",)),
        ([(TENSORRT, [PRODUCT]), (CUDA, [("MatMul", "head.projection")])], (CUDA,)),
        # an engine in place of what it was built of: nothing says that the recurrence is in it
        ([(TENSORRT, [("TRTKernel_graph_main_0", "TensorrtExecutionProvider_TRTKernel_0")])], (UNTOLD,)),
        ([], (UNTOLD,)),
    ],
)
def test_tensorrt_bears_its_name_only_where_it_is_told_that_the_recurrence_ran_there(parts, elsewhere):
    assert strays(TENSORRT, assignment.placement(Told(*parts))) == elsewhere


@pytest.mark.parametrize(("others", "promises"), [([], ""), ([CUDA], "CPUExecutionProvider")])
def test_a_session_too_old_to_tell_is_believed_only_where_no_other_provider_could_run_a_node(
    tmp_path, monkeypatch, others, promises
):
    config = ModelConfig(head="layer", peephole="none", input_size=3, hidden_size=4)
    folder.write_config(tmp_path, ModelFolder(model=config))
    folder.write_weights(tmp_path, random_weights(config, seed=1), folder.WeightsNote(sha256=""))
    path = export(tmp_path, form="lstm").path
    for kind in (one for one in ort.InferenceSession.__mro__ if "get_provider_graph_assignment_info" in vars(one)):
        monkeypatch.delattr(kind, "get_provider_graph_assignment_info")
    monkeypatch.setattr(ort.InferenceSession, "get_providers", lambda _: ["CPUExecutionProvider", *others])
    asked = {"providers": [("CPUExecutionProvider", {})], "demand": lambda _session: None, "device": ""}
    graph = OnnxRuntimeGraph(path, threads=1, **asked)
    assert (graph.placement(), graph.provider) == ((), promises)
    assert strays(graph.provider, graph.placement()) == (() if not others else (UNTOLD,))


@pytest.mark.parametrize(("kind", "told"), [(np.float32, "float32"), (np.float64, "")])
def test_an_operator_in_double_is_not_told_to_compute_in_float32(tmp_path, kind, told):
    number = helper.np_dtype_to_tensor_dtype(np.dtype(kind))
    weights = [numpy_helper.from_array(np.ones((1, 4, 1), kind), name) for name in ("W", "R")]
    ports = [
        helper.make_tensor_value_info("x", number, ["T", "B", 1]),
        helper.make_tensor_value_info("y", number, None),
    ]
    node = helper.make_node("LSTM", ["x", "W", "R"], ["y"], hidden_size=1)
    graph = helper.make_graph([node], "g", ports[:1], ports[1:], weights)
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=9), tmp_path / "x.onnx")
    placed = OnnxRuntimeCpu.graph(tmp_path / "x.onnx", threads=1).placement()
    assert [(part.operator, part.recurrent, part.precision) for part in placed] == [("LSTM", True, told)]
