"""Every graph computes the cell of the reference, at any (B, T), and keeps the contract of names and dimensions."""

import itertools
import re

import onnx
import onnx_ir as ir
import pytest

from lstmbench.errors import ExportError
from lstmbench.export import forms, graph, unrolled
from lstmbench.export.source import of_head
from lstmbench.model.weights import random_weights
from lstmbench.records import ModelConfig, steps_of

ort = pytest.importorskip("onnxruntime")

FORMS = [
    *((cell, form) for cell in ("full", "diagonal", "none") for form in ("scan", "loop", "step", "unrolled5")),
    *((cell, "lstm") for cell in ("diagonal", "none")),
]
SHAPES = [(1, 1), (1, 2), (2, 7), (5, 3), (3, 33)]
LM = [{"num_layers": L, "bias": bias} for L, bias in itertools.product((1, 3), (True, False))]
LM += [{"tie_weights": True, "input_size": 6, "num_layers": 2}]
LAYER = [
    {"num_layers": L, "bidirectional": both, "bias": bias}
    for L, both, bias in itertools.product((1, 2), (False, True), (True, False))
]
VARIANTS = [("lm", sizes) for sizes in LM] + [("layer", sizes) for sizes in LAYER]


def shapes(form):
    """B alone varies where T is fixed."""
    return [(batch, steps_of(form) or time) for batch, time in SHAPES]


def build(config, weights, form):
    return ir.to_proto(graph.build(of_head(config.head, config, weights), form))


def session(proto):
    options = ort.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    return ort.InferenceSession(proto.SerializeToString(), options, providers=["CPUExecutionProvider"])


def nodes_of(onnx_graph):
    for node in onnx_graph.node:
        yield node
        for attribute in node.attribute:
            if attribute.HasField("g"):
                yield from nodes_of(attribute.g)


def dimensions(value):
    return [dim.dim_param or dim.dim_value for dim in value.type.tensor_type.shape.dim]


@pytest.mark.parametrize(("head", "sizes"), VARIANTS, ids=str)
@pytest.mark.parametrize(("peephole", "form"), FORMS)
def test_every_graph_agrees_with_the_reference_at_any_shape(config, failures, peephole, form, head, sizes):
    made = config(peephole, head, **sizes)
    weights = random_weights(made, seed=3)
    loaded = session(build(made, weights, form))
    for batch, time in shapes(form):
        assert not failures(loaded, made, weights, batch=batch, time=time)


@pytest.mark.parametrize(("head", "sizes"), VARIANTS, ids=str)
@pytest.mark.parametrize(("peephole", "form"), FORMS)
def test_every_graph_is_valid_and_every_node_is_named_by_its_layer(config, peephole, form, head, sizes):
    made = config(peephole, head, **sizes)
    proto = build(made, random_weights(made, seed=3), form)
    onnx.checker.check_model(proto, full_check=True)
    names = [node.name for node in nodes_of(proto.graph)]
    assert len(set(names)) == len(names)
    for name in names:
        assert re.fullmatch(r"(l\d+(\.reverse)?(\.t\d)?|head)\.[a-z_0-9]+", name), name
    assert (proto.ir_version, proto.opset_import[0].version) == (10, 21)


@pytest.mark.parametrize(("peephole", "form"), FORMS)
def test_batch_and_time_stay_open_under_their_names_where_a_form_does_not_fix_the_time(config, peephole, form):
    made = config(peephole, num_layers=2)
    proto, T = build(made, random_weights(made, seed=0), form), steps_of(form) or "T"
    assert {value.name: dimensions(value) for value in (*proto.graph.input, *proto.graph.output)} == {
        "input_ids": ["B", T],
        "h_0": [2, "B", 6],
        "c_0": [2, "B", 6],
        "logits": ["B", T, 9],
        "h_n": [2, "B", 6],
        "c_n": [2, "B", 6],
    }


def test_a_bidirectional_layer_has_both_directions_side_by_side(config):
    made = config("full", "layer", bidirectional=True, num_layers=2)
    proto = build(made, random_weights(made, seed=0), "scan")
    assert {value.name: dimensions(value) for value in (*proto.graph.input, *proto.graph.output)} == {
        "x": ["B", "T", 5],
        "h_0": [4, "B", 6],
        "c_0": [4, "B", 6],
        "y": ["B", "T", 12],
        "h_n": [4, "B", 6],
        "c_n": [4, "B", 6],
    }


@pytest.mark.parametrize("peephole", ["diagonal", "none"])
def test_form_lstm_is_one_operator_a_layer(config, peephole):
    made = config(peephole, "layer", bidirectional=True, num_layers=3)
    proto = build(made, random_weights(made, seed=0), "lstm")
    operators = [node for node in proto.graph.node if node.op_type == "LSTM"]
    assert [node.name for node in operators] == ["l0.lstm", "l1.lstm", "l2.lstm"]
    assert all(len(node.input) == (8 if peephole == "diagonal" else 7) for node in operators)


@pytest.mark.parametrize("form", ["scan", "loop"])
def test_the_input_of_all_steps_is_projected_at_once_and_a_step_needs_one_product(config, form):
    made = config("full")
    proto = build(made, random_weights(made, seed=0), form)
    (over_time,) = [node for node in proto.graph.node if node.op_type == form.capitalize()]
    (body,) = [attribute.g for attribute in over_time.attribute if attribute.name == "body"]
    assert [node.name for node in body.node if node.op_type in ("Gemm", "MatMul")] == ["l0.recurrence"]
    assert [node.name for node in proto.graph.node if node.op_type == "MatMul"] == [
        "l0.input_projection",
        "head.projection",
    ]


def test_tied_weights_stand_in_the_file_once(config):
    made = config("none", tie_weights=True, input_size=6)
    proto = build(made, random_weights(made, seed=0), "lstm")
    assert [list(tensor.dims) for tensor in proto.graph.initializer].count([9, 6]) == 1
    assert [6, 9] not in [list(tensor.dims) for tensor in proto.graph.initializer]


def test_an_unrolled_graph_has_no_control_flow_and_no_split_over_time(config):
    made = config("diagonal", "layer", bidirectional=True, num_layers=2)
    proto = build(made, random_weights(made, seed=0), "unrolled5")
    operators = {node.op_type for node in proto.graph.node}
    assert not operators & {"Scan", "Loop", "LSTM", "If"}
    assert max(len(node.output) for node in proto.graph.node) == 4  # the gates
    assert [list(tensor.dims) for tensor in proto.graph.initializer].count([6, 24]) == 4  # a matrix a direction, once


def test_steps_in_the_wrong_order_or_rows_out_of_place_are_seen(config, failures, monkeypatch):
    made = config("full", "layer", bidirectional=True)
    weights = random_weights(made, seed=3)
    assert not failures(session(build(made, weights, "unrolled5")), made, weights, batch=2, time=5)
    stacked = unrolled._stacked
    monkeypatch.setattr(unrolled, "_stacked", lambda nodes, direction, y: stacked(nodes, direction, y[::-1]))
    assert failures(session(build(made, weights, "unrolled5")), made, weights, batch=2, time=5)


def test_a_full_cell_cannot_be_an_lstm_operator_and_is_told_what_it_can_be():
    with pytest.raises(
        ExportError, match=r"diagonal peepholes only; take form scan, loop, step, unrolledN or generate$"
    ):
        forms.demand_form("full", "lstm")


@pytest.mark.parametrize(
    "form", ["unrolled", "unrolledN", "unrolled0", "unrolled07", "unrolled-3", "Scan", "", "step2"]
)
def test_what_is_no_form_is_told_what_there_is(form):
    with pytest.raises(
        ExportError, match=r"there are lstm, scan, loop, step, unrolledN, generate; unrolledN holds N steps"
    ):
        forms.demand_form("none", form)


def test_a_graph_of_too_many_steps_is_refused_before_it_is_built():
    forms.demand_form("none", f"unrolled{forms.MOST_STEPS}")
    with pytest.raises(ExportError, match=r"take at most 1024, or form 'scan'$"):
        forms.demand_form("none", f"unrolled{forms.MOST_STEPS + 1}")


def test_the_lstm_operator_is_preferred_where_it_can_hold_the_cell():
    assert [forms.default_form(cell) for cell in ("full", "diagonal", "none")] == ["scan", "lstm", "lstm"]
    for cell in ("full", "diagonal", "none"):
        assert {"scan", "loop", "step", "unrolledN"} <= set(forms.forms_of(cell))


@pytest.mark.parametrize(("peephole", "form"), FORMS)
def test_a_chaotic_cell_is_not_called_wrong(failures, peephole, form):
    made = ModelConfig(head="lm", peephole=peephole, input_size=48, hidden_size=48, vocabulary_size=20)
    for seed in range(3):
        weights = random_weights(made, seed=seed, gain=2.0)
        loaded = session(build(made, weights, form))
        assert not failures(loaded, made, weights, batch=2, time=steps_of(form) or 64)
