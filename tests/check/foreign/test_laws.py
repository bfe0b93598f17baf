"""The state of anybody's file: what it must obey is asked where it can be, and each planted mistake is caught."""

import numpy as np
import onnx
import pytest
from onnx import helper, numpy_helper

from lstmbench.check.foreign.laws import ENDS, PIECES, ROWS, SINGLE, STEPS, ZEROS
from lstmbench.check.foreign.questions import LARGE
from lstmbench.check.foreign.tables import EVERY
from lstmbench.inspect import carried


def asked(report):
    """Each law and whether it was obeyed; what is asked beside laws has tests of its own."""
    found = {}
    for row in report.rows:
        if row.asked and row.asked not in (EVERY, LARGE):
            found[row.asked] = found.get(row.asked, True) and not row.reason
    return found


def node(model, kind):
    (found,) = (one for one in model.graph.node if one.op_type == kind)
    return found


def hold_rows(model, B):
    """B is no longer open."""
    for port in (*model.graph.input, *model.graph.output):
        for dim in port.type.tensor_type.shape.dim:
            if dim.dim_param == "B":
                dim.dim_value = B


@pytest.mark.parametrize("form", ["lstm", "scan", "loop"])
@pytest.mark.parametrize("lengths", [False, True])
def test_a_right_file_obeys_all_that_it_can(check, ours, form, lengths):
    report = check(ours(head="lm", peephole="diagonal").file(form=form, lengths=lengths))
    assert report.passed, report.failures()
    laws = {PIECES, STEPS, SINGLE, ROWS} | ({ENDS} if lengths else set())
    assert asked(report) == dict.fromkeys(laws, True)
    assert set(report.not_asked) == {ENDS, ZEROS} - laws


@pytest.mark.parametrize(("form", "laws"), [("step", {STEPS, SINGLE, ROWS}), ("unrolled4", {PIECES, ROWS})])
def test_a_file_of_so_many_steps_a_call_is_called_again_and_again(check, ours, form, laws):
    model = ours(head="lm", peephole="full")
    for against in (model.path, model.file(form="scan", name="scan.onnx")):
        report = check(model.file(form=form), against=against)
        assert report.passed, report.failures()
        assert asked(report) == dict.fromkeys(laws, True)
    alone = check(model.file(form=form))
    assert "it holds T at" in alone.not_asked[PIECES]


def test_single_steps_start_from_the_states_of_a_run(check, ours):
    model = ours(head="layer", peephole="diagonal", hidden_size=24, num_layers=2, gain=2.0)
    report = check(model.file(form="lstm"), "planted_graphs:AllZero")
    rows = [row for row in report.rows if row.asked == SINGLE]
    assert {row.output for row in rows if row.reason} == {"y", "h_n", "c_n"}
    assert all(row.bound < 1e-4 for row in rows)


@pytest.mark.parametrize("lengths", [False, True])
def test_a_sequence_that_attends_is_never_cut(check, ours, lengths):
    model = ours(head="lm", peephole="full", attention=True)
    for against in (None, model.path):
        report = check(model.file(form="scan", lengths=lengths), against=against)
        assert report.passed, report.failures()
        assert asked(report) == dict.fromkeys({ROWS} | ({ENDS} if lengths else set()), True)
        assert all("attention reads the states of its own call" in report.not_asked[law] for law in (PIECES, SINGLE))


def test_a_file_without_a_causal_mask_fails_against_its_model(check, ours, save):
    model = ours(head="lm", peephole="full", attention=True)
    proto = onnx.load(model.file(form="scan"))
    node(proto, "Softmax").input[0] = "head.attention.scores"
    report = check(save(proto, "unmasked.onnx"), against=model.path)
    assert {row.output for row in report.failures() if row.asked == ""} == {"logits"}


def test_what_cannot_be_asked_says_why(check, ours, save, foreign_graphs):
    both = check(ours(head="layer", peephole="diagonal", bidirectional=True).file(form="lstm"))
    assert "a reverse direction starts at the end" in both.not_asked[PIECES]
    assert asked(both) == {ROWS: True}
    model = foreign_graphs.lstm_file(foreign_graphs.Sizes())
    del model.graph.output[2]
    assert "not every state goes in and comes out" in check(save(model)).not_asked[STEPS]


def test_a_runtime_that_takes_a_state_once_is_caught_by_its_calls_alone(check, save, foreign_graphs):
    report = check(save(foreign_graphs.lstm_file(foreign_graphs.Sizes())), "planted_graphs:BindsOnce")
    assert not any(row.reason for row in report.rows if not row.asked), "no two whole calls are of one shape"
    assert not asked(report)[STEPS]
    assert not asked(report)[ROWS]


def test_swapped_states_are_the_files_own_fault(check, save, foreign_graphs):
    model = foreign_graphs.lstm_file(foreign_graphs.Sizes())
    lstm = node(model, "LSTM")
    lstm.output[1], lstm.output[2] = "cn", "hn"
    report = check(save(model))
    assert asked(report) == {PIECES: False, STEPS: False, SINGLE: True, ROWS: True}
    assert "the graph itself, in float64: " in report.failures()[0].reason


def test_states_that_are_taken_for_each_other_too(check, save, foreign_graphs):
    model = foreign_graphs.lstm_file(foreign_graphs.Sizes())
    lstm = node(model, "LSTM")
    lstm.input[5], lstm.input[6] = "c0", "h0"
    assert asked(check(save(model))) == {PIECES: False, STEPS: False, SINGLE: True, ROWS: True}


def test_lengths_that_the_graph_ignores_are_its_fault(check, save, foreign_graphs):
    model = foreign_graphs.lstm_file(foreign_graphs.Sizes(lengths=True))
    node(model, "LSTM").input[4] = ""
    for port in model.graph.input:
        port.name = "lengths" if port.name == "lens" else port.name
    assert asked(check(save(model))) == {PIECES: True, STEPS: True, SINGLE: True, ROWS: True, ENDS: False}


def test_rows_that_a_reshape_mixes_with_steps_are_its_fault(check, save, foreign_graphs):
    model = foreign_graphs.lstm_file(foreign_graphs.Sizes(head="linear"))
    nodes = [
        helper.make_node("Shape", ["x"], ["rows.steps"], start=0, end=2),
        helper.make_node("Concat", ["rows.steps", "width"], ["shape"], axis=0),
    ]
    node(model, "Reshape").input[:] = ["Y", "shape"]  # (T, D, B, H), taken for (B, T, D, H)
    model.graph.initializer.append(numpy_helper.from_array(np.array([8]), "width"))
    rest = list(model.graph.node)
    del model.graph.node[:]
    model.graph.node.extend(nodes + rest)
    report = check(save(model))
    assert not asked(report)[ROWS]
    assert any("the graph itself" in row.reason for row in report.rows)


def test_rows_are_known_by_the_states_where_time_is_not(check, save, foreign_graphs):
    """Something before the recurrence that nobody follows: a sum of neighbours, as a convolution over time is."""
    model = foreign_graphs.lstm_file(foreign_graphs.Sizes())
    before = [
        helper.make_node("CumSum", ["x", "one"], ["summed"]),
        *model.graph.node,
    ]
    before[1].input[0] = "summed"
    del model.graph.node[:]
    model.graph.node.extend(before)
    model.graph.initializer.append(numpy_helper.from_array(np.array(1), "one"))
    report = check(save(model))
    assert report.passed, report.failures()
    assert asked(report) == {ROWS: True}
    assert "cannot be followed" in report.not_asked[PIECES]


def test_what_looks_beyond_its_state_is_not_at_fault(check, save, foreign_graphs):
    """The mean over all steps: of the answer nothing is asked in pieces, of the states all."""
    model = foreign_graphs.lstm_file(foreign_graphs.Sizes())
    node(model, "Reshape").output[0] = "steps"
    model.graph.node.extend(
        [
            helper.make_node("ReduceMean", ["steps", "one"], ["mean"], keepdims=1),
            helper.make_node("Sub", ["steps", "mean"], ["y"]),
        ]
    )
    model.graph.initializer.append(numpy_helper.from_array(np.array([1]), "one"))
    report = check(save(model))
    assert report.passed, report.failures()
    assert {row.output for row in report.rows if row.asked == STEPS} == {"hn", "cn"}


@pytest.mark.parametrize(("value", "want"), [(0.0, {ZEROS}), (0.5, set())])
def test_a_state_that_may_be_left_out_is_a_state_of_zeros(check, save, foreign_graphs, value, want):
    model = foreign_graphs.lstm_file(foreign_graphs.Sizes())
    hold_rows(model, 2)
    held = [numpy_helper.from_array(np.full((1, 2, 8), value, np.float32), name) for name in ("h0", "c0")]
    model.graph.initializer.extend(held)
    report = check(save(model))
    assert report.passed
    assert asked(report) == dict.fromkeys(want, True)
    assert ("in float64 too" in report.not_asked.get(ZEROS, "")) == (ZEROS not in want)


def test_where_time_and_states_are(ours, save, foreign_graphs):
    scan = carried(ours(head="lm").file(names={"h_0": "a", "h_n": "b"}))
    assert set(scan.states) == {("a", "b"), ("c_0", "c_n")}
    assert (scan.time, scan.outputs, scan.uncut) == ({"input_ids": 1}, {"logits": 1}, "")
    lstm = carried(save(foreign_graphs.lstm_file(foreign_graphs.Sizes(head="softmax"))))
    assert (lstm.time, lstm.outputs) == ({"x": 1}, {"y": 1})
    turned = carried(save(foreign_graphs.lstm_file(foreign_graphs.Sizes(), turned=True)))
    assert turned.outputs == {}, "its steps are picked"


@pytest.mark.parametrize("form", ["step", "unrolled2"])
def test_a_state_is_not_taken_for_a_sequence_of_as_many_steps(ours, form):
    told = carried(ours(head="layer", num_layers=1 if form == "step" else 2).file(form=form))
    assert (told.time, told.outputs, told.uncut) == ({"x": 1}, {"y": 1}, "")


def test_a_file_without_a_recurrence_says_so(save):
    port = helper.make_tensor_value_info
    graph = helper.make_graph(
        [helper.make_node("Identity", ["x"], ["y"])],
        "g",
        [port("x", onnx.TensorProto.FLOAT, ["N", 2])],
        [port("y", onnx.TensorProto.FLOAT, ["N", 2])],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=9)
    assert carried(save(model)).uncut == "it has no recurrence that was recognised"


def test_a_state_that_comes_out_in_another_shape_is_not_carried_on(check, ours):
    """Declared with B in the place of its layers, of which the graph takes the first."""
    path = ours("shapes").file()
    model = onnx.load(path)
    for port in model.graph.input:
        if port.name in {"h_0", "c_0"}:
            port.type.tensor_type.shape.dim[0].dim_param = "B"
    path.write_bytes(model.SerializeToString())
    report = check(path)
    assert "in float64 too the graph answers otherwise" in report.not_asked["single steps"]


def test_answers_of_several_calls_that_do_not_fit_together_are_no_defect(check, save, foreign_graphs):
    """A Squeeze of whatever is 1 takes T away where a call has one step."""
    model = foreign_graphs.lstm_file(foreign_graphs.Sizes())
    for node in model.graph.node:
        node.output[:] = ["whole" if name == "y" else name for name in node.output]
    model.graph.node.append(helper.make_node("Squeeze", ["whole"], ["y"]))
    model.graph.output[0].type.tensor_type.ClearField("shape")
    report = check(save(model))
    assert {row.asked for row in report.rows} & {"in pieces", "a step a call"} or report.not_asked
    assert all("y" not in row.output or row.reason for row in report.rows if row.asked == "a step a call")


@pytest.mark.parametrize("mixed", [False, True])
def test_rows_of_a_batch_that_is_held_are_put_in_another_order_too(check, save, foreign_graphs, mixed):
    model = foreign_graphs.lstm_file(foreign_graphs.Sizes())
    hold_rows(model, 3)
    if mixed:  # all rows start from the h of the first
        first = [numpy_helper.from_array(np.zeros(3, np.int64), "first")]
        model.graph.initializer.extend(first)
        model.graph.node.insert(0, helper.make_node("Gather", ["h0", "first"], ["h_first"], axis=1))
        node(model, "LSTM").input[5] = "h_first"
    assert asked(check(save(model)))[ROWS] != mixed


@pytest.mark.parametrize("given", [True, False])
def test_rows_that_start_from_states_of_their_own_are_not_put_in_another_order(check, save, foreign_graphs, given):
    """Of a batch that is held, a state may be a constant, or an input that no output tells to be one."""
    model = foreign_graphs.lstm_file(foreign_graphs.Sizes())
    hold_rows(model, 3)
    (c_n,) = (port for port in model.graph.output if port.name == "cn")
    model.graph.output.remove(c_n)
    if not given:
        (c_0,) = (port for port in model.graph.input if port.name == "c0")
        model.graph.input.remove(c_0)
        held = np.arange(24, dtype=np.float32).reshape(1, 3, 8) / 24
        model.graph.initializer.append(numpy_helper.from_array(held, "c0"))
    report = check(save(model))
    assert report.passed, report.failures()
    assert "which of its sizes is B" in report.not_asked[ROWS]
