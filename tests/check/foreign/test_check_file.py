"""A file that is right passes, one that is not does not, whoever wrote it and whatever it is held to."""

import numpy as np
import onnx
import pytest
from onnx import helper, numpy_helper

from lstmbench.check.foreign import check_file
from lstmbench.errors import GraphError, RecordError, RuntimeMissingError
from lstmbench.runtimes import GRAPHS, available

# --- against its own graph ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("direction", ["forward", "reverse", "bidirectional"])
@pytest.mark.parametrize("head", ["none", "linear", "softmax", "norm"])
def test_a_right_file_passes_on_all_runtimes(check, save, foreign_graphs, direction, head):
    sizes = foreign_graphs.Sizes(direction=direction, head=head, embedding=head == "linear")
    report = check(save(foreign_graphs.lstm_file(sizes)), *available(GRAPHS))
    assert report.passed, report.failures()
    assert {row.output for row in report.rows} == {"y", "hn", "cn"}
    assert {row.runtime for row in report.rows} == {"onnx-reference", "onnxruntime-cpu"}
    shapes = {row.sizes for row in report.rows if not row.asked}
    assert len(shapes) == 9, "nine pairs of B and T"
    assert any("(1, 1" in shape for shape in shapes)


def test_real_processes_say_the_same(save, foreign_graphs):
    path = save(foreign_graphs.lstm_file(foreign_graphs.Sizes()))
    report = check_file(path, available(GRAPHS), progress=lambda _: None)
    assert report.passed
    assert len(report.rows) == 2 * 9 * 3


def test_a_runtime_that_ignores_lengths_fails_and_one_that_heeds_them_passes(check, save, foreign_graphs):
    path = save(foreign_graphs.lstm_file(foreign_graphs.Sizes(lengths=True, direction="bidirectional")))
    assert check(path, "onnxruntime-cpu").passed
    report = check(path, "onnx-reference")
    assert {row.output for row in report.worst() if row.reason} == {"y", "hn", "cn"}


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("OffByAThousandth", "off by 1.0e-03, allowed"),
        ("WrongFromBatchNine", "the reference says"),
        ("AnswersTheLastStepOnly", "y is float32 (2, 1, 8), the graph says float32 (2, 3, 8)"),
        ("AnswersInDouble", "y is float64 (1, 1, 8), the graph says float32 (1, 1, 8)"),
        ("LeavesOneOut", "hn was not answered"),
        ("NotANumber", "y[0, 0, 0] is nan, the reference says"),
        ("Refuses", "no kernel for LSTM"),
    ],
)
def test_a_runtime_with_a_mistake_fails_with_the_output_and_the_worst_element(check, save, foreign_graphs, name, words):
    report = check(save(foreign_graphs.lstm_file(foreign_graphs.Sizes())), f"planted_graphs:{name}", "onnx-reference")
    assert not report.passed
    (row,) = report.failures()
    assert row.runtime == f"planted_graphs:{name}"
    assert any(words in one.reason for one in report.rows), [one.reason for one in report.rows][:4]
    assert not any(one.reason for one in report.rows if one.runtime == "onnx-reference")


def test_a_crash_is_a_row_and_the_next_runtime_is_checked_all_the_same(plugins, save, foreign_graphs):
    path = save(foreign_graphs.lstm_file(foreign_graphs.Sizes()))
    report = check_file(path, ["planted_graphs:Crashes", "onnx-reference"], progress=lambda _: None)
    (row,) = report.failures()
    assert "crashed (SIGSEGV) while running foreign.onnx" in row.reason
    assert row.max_error is None
    assert sum(row.runtime == "onnx-reference" for row in report.rows) == 9 * 3


def test_a_missing_runtime_is_no_verdict(check, save, foreign_graphs):
    path = save(foreign_graphs.lstm_file(foreign_graphs.Sizes()))
    with pytest.raises(RuntimeMissingError, match="no runtime named 'torch' that runs any graph; here: onnx-reference"):
        check(path, "torch")


def test_a_file_that_changes_meanwhile_gets_no_verdict(check, save, foreign_graphs, monkeypatch):
    path = save(foreign_graphs.lstm_file(foreign_graphs.Sizes()))
    monkeypatch.setattr("lstmbench.check.foreign.verify.judge", lambda *_: path.write_bytes(b"other") and [])
    with pytest.raises(RecordError, match="was changed while it was checked"):
        check(path)


# --- against another file -----------------------------------------------------------------------------------------


def test_two_files_of_one_function_agree_whatever_their_form(check, ours):
    model = ours(peephole="diagonal", head="layer")
    lstm, loop = model.file(form="lstm", name="a.onnx"), model.file(form="loop", name="b.onnx")
    assert check(loop, against=lstm).passed
    assert check(lstm, against=loop).passed


def test_a_file_with_one_weight_off_is_not_the_other(check, ours, change):
    model = ours(peephole="diagonal", head="layer")
    right = model.file(form="lstm", name="a.onnx")
    wrong = model.file(form="scan", name="b.onnx", weights=change(model.weights, "lstm.weight_ch_l0"))
    report = check(wrong, against=right)
    assert not report.passed
    assert {row.output for row in report.worst() if row.reason} == {"y", "h_n", "c_n"}
    assert check(wrong).passed, "by itself it is a function as good as any"


def test_a_file_whose_time_is_frozen_is_not_the_other(check, save, foreign_graphs):
    right = foreign_graphs.lstm_file(foreign_graphs.Sizes())
    frozen = onnx.ModelProto.FromString(right.SerializeToString())
    (joined,) = (tensor for tensor in frozen.graph.initializer if tensor.name == "joined")
    joined.CopyFrom(numpy_helper.from_array(np.array([-1, 3, 8]), "joined"))
    report = check(save(frozen, "frozen.onnx"), against=save(right, "right.onnx"))
    assert not report.passed
    assert "Reshape" in report.failures()[0].reason
    with pytest.raises(GraphError, match=r"frozen\.onnx: it cannot be evaluated at .*reshape"):
        check(save(frozen, "frozen.onnx"))


def test_a_size_that_the_file_holds_fixed_is_the_only_one(check, ours):
    model = ours(peephole="full", head="layer")
    unrolled = model.file(form="unrolled4", name="a.onnx")
    report = check(unrolled, against=model.file(form="scan", name="b.onnx"))
    assert report.passed
    rows = [row for row in report.rows if not row.asked]
    assert all("4, 5)" in row.sizes for row in rows), "T is 4 in all"
    assert len({row.sizes for row in rows}) == 7


def test_inputs_that_fit_no_other_are_refused_with_what_was_expected(check, ours, save, foreign_graphs):
    other = save(foreign_graphs.lstm_file(foreign_graphs.Sizes()), "other.onnx")
    with pytest.raises(GraphError) as caught:
        check(ours().file(name="ours.onnx"), against=other)
    assert "cannot be matched: expected are the inputs x float32 (B, T, 6), h0 float32 (1, B, 8)" in str(caught.value)
    assert "; it has c_0 float32 (1, B, 6), h_0 float32 (1, B, 6), input_ids int64 (B, T)" in str(caught.value)


# --- against a checkpoint -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "names",
    [
        {},
        {"input_ids": "tokens_in", "logits": "scores"},
        {"input_ids": "h", "logits": "c", "h_n": "h_n", "c_n": "c_n"},
    ],
)
@pytest.mark.parametrize("form", ["scan", "loop", "unrolled3", "step"])
def test_a_file_under_other_names_in_another_order_is_held_to_a_checkpoint(check, ours, form, names):
    model = ours(num_layers=2)
    report = check(model.file(form=form, names=names), against=model.path)
    assert report.passed, report.failures()
    assert {row.output for row in report.rows} == {names.get("logits", "logits"), "h_n", "c_n"}


@pytest.mark.parametrize("tensor", ["lstm.weight_ih_l0", "lstm.weight_ch_l1", "lstm.bias_hh_l0", "decoder.bias"])
def test_a_checkpoint_that_differs_in_one_tensor_is_told(check, ours, change, tensor):
    model = ours(num_layers=2)
    report = check(model.file(weights=change(model.weights, tensor)), against=model.path)
    assert not report.passed
    assert "logits[" in report.failures()[0].reason


@pytest.mark.parametrize("clip", [6.0, 10.0])
@pytest.mark.parametrize("head", ["lm", "layer"])
def test_a_node_that_clips_is_told_from_the_checkpoint(check, ours, save, head, clip):
    model = ours(peephole="diagonal")
    right = model.file(form="lstm", head=head, name="right.onnx")
    file = onnx.load(right)
    next(node for node in file.graph.node if node.op_type == "LSTM").attribute.append(
        helper.make_attribute("clip", clip)
    )
    report = check(save(file, "clips.onnx"), against=model.path)
    failed = {row.asked for row in report.rows if row.reason}
    assert "large sums" in failed


def test_the_layers_of_a_language_model_are_held_to_its_checkpoint_alone(check, ours):
    model = ours()
    report = check(model.file(head="layer", names={"x": "features"}), against=model.path)
    assert report.passed
    assert {row.output for row in report.rows} == {"y", "h_n", "c_n"}


@pytest.mark.parametrize("bidirectional", [False, True])
def test_lengths_are_part_of_the_contract(check, ours, bidirectional):
    model = ours(head="layer", peephole="diagonal", bidirectional=bidirectional)
    assert check(model.file(form="lstm", lengths=True), against=model.path).passed
    report = check(model.file(form="lstm", lengths=True), "onnx-reference", against=model.path)
    assert not report.passed, "it ignores them"


def test_states_of_the_same_shape_are_told_by_name_alone(check, ours):
    model = ours()
    with pytest.raises(GraphError, match=r"cannot be matched: expected are the inputs input_ids int64 \(B, T\), h_0"):
        check(model.file(names={"h_0": "a", "c_0": "b"}), against=model.path)
    with pytest.raises(GraphError, match=r"expected are the outputs logits float32 \(B, T, 9\), h_n"):
        check(model.file(names={"h_n": "a", "c_n": "b"}), against=model.path)


def test_one_state_under_another_name_is_what_is_left(check, ours):
    model = ours()
    assert check(model.file(names={"h_0": "hidden", "c_n": "cell"}), against=model.path).passed


def test_swapped_states_are_caught(check, ours):
    model = ours()
    path = model.file(names={"h_0": "c_0", "c_0": "h_0"})
    assert not check(path, against=model.path).passed


def test_a_file_without_states_starts_from_zeros(check, ours):
    model = ours(peephole="none", head="layer")
    proto = onnx.load(model.file(form="scan"))
    zeros = [helper.make_node("Shape", ["x"], ["B"], start=0, end=1)]
    for name in ("h_0", "c_0"):
        one, width = f"{name}.L", f"{name}.H"
        proto.graph.initializer.extend(numpy_helper.from_array(np.array([n]), m) for m, n in ((one, 1), (width, 6)))
        zeros.append(helper.make_node("Concat", [one, "B", width], [f"{name}.shape"], axis=0))
        zeros.append(helper.make_node("ConstantOfShape", [f"{name}.shape"], [name]))
    nodes = [*zeros, *proto.graph.node]
    del proto.graph.node[:]
    proto.graph.node.extend(nodes)
    for ports, kept in ((proto.graph.input, "x"), (proto.graph.output, "y")):
        left = [port for port in ports if port.name == kept]
        del ports[:]
        ports.extend(left)
    report = check(model.save(proto), against=model.path)
    assert report.passed, report.failures()
    assert {row.output for row in report.rows} == {"y"}


def test_one_state_alone_is_refused(check, ours):
    model = ours()
    proto = onnx.load(model.file())
    (c_0,) = (port for port in proto.graph.input if port.name == "c_0")
    proto.graph.input.remove(c_0)
    proto.graph.initializer.append(numpy_helper.from_array(np.zeros((1, 1, 6), np.float32), "c_0"))
    with pytest.raises(GraphError, match="takes one of h_0 and c_0: expected are both, or none"):
        check(model.save(proto), against=model.path)


def test_a_lower_precision_is_refused_though_a_checkpoint_is_there(check, ours):
    model = ours()
    proto = onnx.load(model.file())
    proto.graph.initializer.append(numpy_helper.from_array(np.ones(1, np.float16), "half"))
    with pytest.raises(GraphError, match=r"foreign\.onnx: it holds float16: only files in float32"):
        check(model.save(proto), against=model.path)
