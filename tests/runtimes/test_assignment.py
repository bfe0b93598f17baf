"""In which precision recurrent nodes compute, as the session runs them and not as the file says."""

import pytest

from lstmbench.export import export
from lstmbench.model import folder
from lstmbench.model.weights import random_weights
from lstmbench.records import ModelConfig, ModelFolder

pytest.importorskip("onnxruntime")
import onnxruntime as ort

from lstmbench.runtimes.onnxruntime_cpu import OnnxRuntimeCpu

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
