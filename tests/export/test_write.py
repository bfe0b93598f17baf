"""An export is proved before it is kept: planted mistakes leave one line and no file."""

import errno
import tempfile

import numpy as np
import onnx_ir as ir
import pytest

from lstmbench.errors import DiskError, ExportError, RuntimeMissingError
from lstmbench.export import Storage, export, find, graph, heads, loop, lstm, nodes, opset, step, verify, write
from lstmbench.export.nodes import Layer
from lstmbench.runtimes import catalogue

pytest.importorskip("onnxruntime")


def names(path):
    return sorted(file.name for file in path.iterdir())


def refused(path, match, **arguments):
    """Export must refuse in one line and leave the folder as it was."""
    before = names(path)
    with pytest.raises(ExportError, match=match) as caught:
        export(path, **arguments)
    assert "\n" not in str(caught.value)
    assert names(path) == before


@pytest.mark.parametrize(
    ("peephole", "head", "arguments", "file"),
    [
        ("full", "lm", {}, "scan-fp32.onnx"),
        ("diagonal", "lm", {"form": "scan"}, "scan-fp32.onnx"),
        ("none", "lm", {"head": "layer"}, "layer-lstm-fp32.onnx"),
        ("diagonal", "layer", {}, "layer-lstm-fp32.onnx"),
    ],
)
def test_an_export_lies_beside_its_record_and_is_found_again(model, peephole, head, arguments, file):
    path = model(peephole, head, num_layers=2)
    before = names(path)
    exported = export(path, **arguments)
    assert exported.path == path / file
    assert names(path) == sorted([*before, file, file.replace(".onnx", ".json")])
    assert find(path) == [exported]
    assert exported.record.verified_with.startswith("onnxruntime-cpu 1.")
    shapes = list(dict.fromkeys((check.batch, check.time) for check in exported.record.verified))
    assert [shape for shape in shapes if shape in verify.SHAPES] == list(verify.SHAPES)
    each_step = [shape for shape in shapes if shape not in verify.SHAPES]
    assert set(each_step) == {(batch * time, 1) for batch, time in verify.SHAPES if time > 3}
    outputs = [check.output for check in exported.record.verified[:3]]
    assert outputs == list(exported.model.output_names)
    assert all(0 < check.max_error <= check.bound for check in exported.record.verified)


def test_where_time_is_fixed_twenty_batches_prove_the_file(model):
    exported = export(model("full"), form="unrolled3")
    proved = dict.fromkeys((check.batch, check.time) for check in exported.record.verified)
    assert list(proved) == [(batch, 3) for batch in range(1, 21)]


def test_a_bidirectional_layer_is_proved_too(model):
    path = model("full", "layer", bidirectional=True)
    assert export(path).record.model.directions == 2


def test_a_chaotic_cell_is_not_refused(model):
    exported = export(model("full", gain=2.0, hidden_size=48, input_size=48))
    bounds = {(c.batch, c.time): c.bound for c in exported.record.verified if c.output == "logits"}
    assert bounds[1, 1] < 1e-4 < bounds[1, 64]


def test_a_full_cell_in_form_lstm_is_refused_with_the_reason(model):
    refused(
        model("full"),
        "ONNX's LSTM operator knows diagonal peepholes only; take form scan, loop, step, unrolledN or generate",
        form="lstm",
    )


def test_bare_layers_have_no_language_model_to_export(model):
    refused(model("none", "layer"), "holds bare layers, .* take head 'layer'", head="lm")


def test_without_onnxruntime_nothing_is_written(model, monkeypatch):
    path = model()
    before = names(path)
    monkeypatch.setattr(catalogue, "_installed", lambda package: package != "onnxruntime")
    with pytest.raises(RuntimeMissingError, match=r"pip install 'lstmbench\[cpu\]'"):
        export(path)
    assert names(path) == before


# the mistakes that an exporter makes


@pytest.mark.parametrize(
    ("peephole", "form"),
    [("diagonal", "lstm"), ("none", "lstm"), ("full", "scan"), ("diagonal", "scan"), ("full", "loop")],
)
def test_wrong_gate_orders_are_caught(model, monkeypatch, peephole, form):
    where = lstm if form == "lstm" else step
    monkeypatch.setattr(where, "order", lambda source, _target: list(range(len(source))))
    refused(
        model(peephole),
        r"-fp32.onnx was not kept: at \(B=1, T=1\) it computes another function than the model: "
        r"logits\[0, 0, \d\] is \S+, the reference says \S+: off by \S+, allowed \S+$",
        form=form,
    )


def test_dropped_diagonal_peepholes_are_caught(model, monkeypatch):
    tensors = lstm._tensors
    monkeypatch.setattr(lstm, "_tensors", lambda source, k: tensors(source, k) | {"P": None})
    refused(model("diagonal"), "computes another function")


def test_dropped_full_peepholes_are_caught(model, monkeypatch):
    matrix, keep_u = step._recurrent_matrix, np.repeat(np.float32([[1], [0]]), 6, axis=0)
    monkeypatch.setattr(step, "_recurrent_matrix", lambda direction: matrix(direction) * keep_u)
    refused(model("full"), "computes another function")


@pytest.mark.parametrize("lost", ["h_0", "c_0"])
def test_a_state_that_is_not_carried_is_caught(model, monkeypatch, lost):
    def rows(graph, _source, _k, state):
        nothing = graph.constant("nothing", np.zeros(1, np.float32))
        return graph.add("l0.lost", "Mul", [state, nothing]) if state.name == lost else state

    monkeypatch.setattr(lstm, "_rows", rows)
    refused(model("none"), "computes another function")


def test_h_and_c_swapped_are_caught(model, monkeypatch):
    def swapped(*arguments):
        y, h, c = lstm.layer(*arguments)
        return Layer(y, c, h)

    monkeypatch.setitem(graph._LAYERS, "lstm", swapped)
    refused(model("none"), r"the model: h_n\[0, 0, \d\] is ")


def test_weights_in_bfloat16_are_caught(model, monkeypatch):
    constant = nodes.Nodes.constant

    def rounded(self, name, array):
        if array.dtype == np.float32:
            array = ((array.view(np.uint32) + 0x8000) & 0xFFFF0000).view(np.float32)
        return constant(self, name, array)

    monkeypatch.setattr(nodes.Nodes, "constant", rounded)
    refused(model("diagonal"), "computes another function")


def test_a_reverse_output_that_is_not_turned_back_is_caught(model, monkeypatch):
    add_many = nodes.Nodes.add_many

    def unturned(self, name, operator, inputs, **attributes):
        if operator == "Scan":
            attributes["scan_output_directions"] = [0]
        return add_many(self, name, operator, inputs, **attributes)

    monkeypatch.setattr(nodes.Nodes, "add_many", unturned)
    refused(model("none", "layer", bidirectional=True), r"at \(B=1, T=2\) it computes another function", form="scan")


@pytest.mark.parametrize("turned", ["z_turned", "y_turned"])
def test_a_loop_that_does_not_turn_the_reverse_direction_is_caught(model, monkeypatch, turned):
    backwards = loop._backwards
    monkeypatch.setattr(
        loop, "_backwards", lambda nodes, name, value: value if turned in name else backwards(nodes, name, value)
    )
    refused(model("none", "layer", bidirectional=True), r"at \(B=1, T=2\) it computes another function", form="loop")


def test_a_loop_that_stops_one_step_short_is_caught(model, monkeypatch):
    steps = loop._steps

    def short(nodes, at, z):
        return nodes.add(f"{at}.short", "Sub", [steps(nodes, at, z), nodes.constant("one", np.array(1))])

    monkeypatch.setattr(loop, "_steps", short)
    refused(model("full"), "loop-fp32.onnx was not kept", form="loop")


def test_a_frozen_time_is_caught(model, monkeypatch):
    monkeypatch.setattr(heads, "graph_input", lambda *_: ir.val("input_ids", ir.DataType.INT64, ["B", 1]))
    refused(model("none"), r"lstm-fp32.onnx was not kept: .*while running \(B=1, T=2\)")


def test_a_time_that_is_baked_into_a_reshape_is_caught(model, monkeypatch):
    def baked(graph, _source, _k, y):
        return graph.add("l0.y", "Reshape", [y, graph.constant("l0.y.shape", np.array([1, -1, 6]))])

    monkeypatch.setattr(lstm, "_side_by_side", baked)
    refused(model("none"), "lstm-fp32.onnx was not kept")


def test_a_graph_that_is_no_valid_onnx_is_refused(model, monkeypatch):
    monkeypatch.setitem(opset.IR_VERSIONS, 1, 8)  # no Scan of that time fits
    refused(model("full"), "scan-fp32.onnx would be no valid ONNX: ", storage=Storage(opset=1))


# what goes wrong on the way


def test_an_older_export_survives_one_that_fails(model, monkeypatch):
    path = model("diagonal")
    before = export(path)
    monkeypatch.setattr(lstm, "order", lambda source, _target: list(range(len(source))))
    refused(path, "was not kept", storage=Storage(force=True))
    assert find(path) == [before]


@pytest.mark.parametrize("error", [KeyboardInterrupt(), DiskError("the disk is full")])
def test_an_interrupted_proof_leaves_nothing(model, monkeypatch, error):
    def interrupted(*_):
        raise error

    path = model()
    before = names(path)
    monkeypatch.setattr(write, "verify", interrupted)
    with pytest.raises(type(error)):
        export(path)
    assert names(path) == before


def test_a_folder_that_cannot_be_written_is_named(model, monkeypatch):
    def full(**_):
        raise OSError(errno.ENOSPC, "No space left on device")

    path = model()
    monkeypatch.setattr(tempfile, "mkdtemp", full)
    with pytest.raises(DiskError, match="the disk is full"):
        export(path)
