"""Every form, precision and cell is valid in every opset that is offered, and computes the same there."""

import onnx
import pytest

from lstmbench.errors import ExportError
from lstmbench.export import Storage, export
from lstmbench.export.opset import IR_VERSIONS
from lstmbench.export.serialise import serialise, store
from lstmbench.export.source import of_head
from lstmbench.model.weights import random_weights
from lstmbench.records import steps_of

ort = pytest.importorskip("onnxruntime")

PRECISIONS = ("fp32", "fp16", "int8", "int4", "int4a8")
FORMS = [(cell, form) for cell in ("full", "diagonal", "none") for form in ("scan", "loop", "step", "unrolled3")]
CASES = [(*case, precision) for case in FORMS for precision in PRECISIONS]
CASES += [(cell, "lstm", precision) for cell in ("diagonal", "none") for precision in PRECISIONS[:3]]


@pytest.mark.parametrize("opset", IR_VERSIONS)
@pytest.mark.parametrize("case", CASES, ids="-".join)
def test_every_file_is_valid_loads_and_is_right(config, failures, tmp_path, case, opset):
    peephole, form, precision = case
    made = config(peephole, hidden_size=33, input_size=33, num_layers=2)
    weights, path = random_weights(made, seed=3), tmp_path / "graph.onnx"
    store(serialise(of_head("lm", made, weights), form, precision, tmp_path, opset=opset), path)
    proto = onnx.load(path)
    assert {entry.domain: entry.version for entry in proto.opset_import}[""] == opset
    assert proto.ir_version == IR_VERSIONS[opset] <= 10
    options = ort.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    session = ort.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    assert not failures(session, made, weights, batch=3, time=steps_of(form) or 4, precision=precision)


@pytest.mark.parametrize("opset", [18, 20])
def test_an_export_in_an_older_opset_says_so(model, opset):
    exported = export(model("diagonal"), storage=Storage(opset=opset))
    assert (exported.record.opset, exported.record.ir_version) == (opset, IR_VERSIONS[opset])
    proto = onnx.load(exported.path)
    assert (proto.opset_import[0].version, proto.ir_version) == (opset, IR_VERSIONS[opset])


@pytest.mark.parametrize("opset", [17, 22, 0, -1])
def test_an_opset_out_of_range_is_one_line_with_the_range(model, opset):
    path = model()
    before = sorted(path.iterdir())
    with pytest.raises(ExportError, match=rf"^opset {opset} cannot be: take one from 18, .* to 21, ") as caught:
        export(path, storage=Storage(opset=opset))
    assert "\n" not in str(caught.value)
    assert sorted(path.iterdir()) == before


@pytest.mark.parametrize("form", ["scan", "loop", "step"])
def test_below_the_range_the_checker_would_refuse(config, tmp_path, monkeypatch, form):
    """The lower end is no caution: Split's number of parts came with opset 18."""
    monkeypatch.setitem(IR_VERSIONS, 17, 8)
    made = config("full")
    graph = serialise(of_head("lm", made, random_weights(made, seed=3)), form, "fp32", tmp_path, opset=17)
    with pytest.raises(ExportError, match=r"would be no valid ONNX: .*num_outputs"):
        store(graph, tmp_path / "graph.onnx")


def test_the_oldest_ir_version_of_each_opset_is_the_one_onnx_released_it_with():
    released = {row[2]: row[1] for row in onnx.helper.VERSION_TABLE}
    assert {opset: released[opset] for opset in IR_VERSIONS} == IR_VERSIONS


@pytest.mark.skipif(not ort.__version__.startswith("1.20."), reason="newer ones load more")
@pytest.mark.parametrize(("opset", "ir_version"), [(22, 10), (21, 11)])
def test_the_oldest_onnxruntime_would_refuse_what_is_beyond_the_range(config, tmp_path, opset, ir_version):
    made = config("full")
    graph = serialise(of_head("lm", made, random_weights(made, seed=3)), "scan", "fp32", tmp_path)
    graph.opset_imports[""], graph.ir_version = opset, ir_version
    store(graph, tmp_path / "graph.onnx")
    with pytest.raises(Exception, match=r"(?i)opset|ir version|ir_version"):
        ort.InferenceSession(tmp_path / "graph.onnx", providers=["CPUExecutionProvider"])
