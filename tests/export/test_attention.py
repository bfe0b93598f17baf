"""Attention over past states: every form of whole sequences computes it, and no mistake of it gets through."""

import numpy as np
import onnx_ir as ir
import pytest

from lstmbench.errors import ExportError
from lstmbench.export import export, forms, graph
from lstmbench.export.serialise import serialise
from lstmbench.export.source import of_head
from lstmbench.model import folder
from lstmbench.model.weights import COMBINE, SCORE, random_weights

ort = pytest.importorskip("onnxruntime")
FORMS = [("diagonal", "lstm"), ("full", "scan"), ("none", "loop")]


def session(model):
    options = ort.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    proto = ir.to_proto(model).SerializeToString()
    return ort.InferenceSession(proto, options, providers=["CPUExecutionProvider"])


def made(config, peephole="full", **sizes):
    config = config(peephole, attention=True, **sizes)
    return config, random_weights(config, seed=4)


@pytest.mark.parametrize(("peephole", "form"), FORMS)
@pytest.mark.parametrize("sizes", [{}, {"num_layers": 2, "tie_weights": True, "input_size": 6}], ids=str)
def test_every_form_of_whole_sequences_reads_past_states(config, failures, peephole, form, sizes):
    config, weights = made(config, peephole, **sizes)
    running = session(graph.build(of_head("lm", config, weights), form))
    for batch, time in ((1, 1), (2, 7), (5, 3), (1, 33)):
        assert failures(running, config, weights, batch=batch, time=time) == []


def edited(how):
    """Change the graph of one node of attention, by its name."""

    def edit(model):
        nodes = {node.name.removeprefix("head.attention."): node for node in model.graph if node.name}
        how(model.graph, nodes)

    return edit


def _no_mask(_, nodes):
    nodes["shares"].replace_input_with(0, nodes["scores"].outputs[0])


def _a_step_late(graph, nodes):
    one = ir.node("Add", [nodes["now"].outputs[0], graph.initializers["head.attention.one"]], name="late")
    graph.insert_before(nodes["later"], one)
    nodes["later"].replace_input_with(0, one.outputs[0])


def _a_step_early(graph, nodes):
    """Row 0 keeps itself: of nothing, softmax makes NaN, which anything finds."""
    held = graph.initializers["head.attention.one"]
    one = ir.node("Sub", [nodes["now"].outputs[0], held], name="early")
    least = ir.node("Max", [one.outputs[0], held], name="least")
    for node in (one, least):
        graph.insert_before(nodes["later"], node)
    nodes["later"].replace_input_with(0, least.outputs[0])


def _other_axis(_, nodes):
    nodes["shares"].attributes["axis"] = ir.AttrInt64("axis", 1)


def _no_tanh(graph, nodes):
    ir.convenience.replace_all_uses_with(nodes["out"].outputs[0], nodes["combined"].outputs[0])


def _scores_of_keys(_, nodes):
    nodes["queries"].replace_input_with(0, nodes["keys"].outputs[0])


def _values_are_keys(_, nodes):
    nodes["read"].replace_input_with(1, nodes["keys"].outputs[0])


def tensor(name, change):
    def edit(graph, _):
        array = graph.initializers[name].const_value.numpy()
        graph.initializers[name].const_value = ir.Tensor(np.ascontiguousarray(change(array)), name=name)

    return edit


MISTAKES = {
    "no causal mask": _no_mask,
    "a step late": _a_step_late,
    "a step early": _a_step_early,
    "softmax over the wrong axis": _other_axis,
    "scores not scaled": tensor("head.attention.scale", np.ones_like),
    "scaled by 1/H": tensor("head.attention.scale", np.square),
    "no tanh": _no_tanh,
    "keys with keys": _scores_of_keys,
    "keys read for states": _values_are_keys,
    "A transposed": tensor(SCORE, np.transpose),
    "C with its halves swapped": tensor(COMBINE, lambda C: np.concatenate(np.split(C, 2)[::-1])),
    "A is zero: all past states alike": tensor(SCORE, np.zeros_like),
    "a weight of A off by 1e-2": tensor(
        SCORE, lambda A: A + np.float32(1e-2) * (np.arange(A.size).reshape(A.shape) == 3)
    ),
}


@pytest.mark.parametrize("gain", [0.5, 1.0])
@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_planted_mistake_does_not_pass(config, failures, mistake, gain):
    config = config("diagonal", attention=True)
    weights = random_weights(config, seed=4, gain=gain)
    model = graph.build(of_head("lm", config, weights), "lstm")
    edited(MISTAKES[mistake])(model)
    assert failures(session(model), config, weights, batch=3, time=7)


@pytest.mark.parametrize("form", ["step", "unrolled4", "generate"])
@pytest.mark.parametrize(("peephole", "able"), [("full", "scan or loop"), ("none", "lstm, scan or loop")])
def test_forms_of_fixed_steps_are_refused_by_naming_those_that_can(model, form, peephole, able):
    path = model(peephole, attention=True)
    with pytest.raises(
        ExportError, match=f"form '{form}' goes a step or.*a whole sequence in one call: take form {able}"
    ):
        export(path, form=form)
    assert not list(path.glob("*.onnx"))


def test_the_forms_that_are_tried_are_those_that_can():
    assert forms.forms_of("full", attention=True) == ["scan", "loop"]
    assert forms.forms_of("none", attention=True) == ["lstm", "scan", "loop"]
    with pytest.raises(ExportError, match="take form scan or loop"):
        forms.demand_form("full", "lstm", attention=True)


@pytest.mark.parametrize(("precision", "lengths"), [("fp16", False), ("int8", True), ("int4", False), ("int4a8", True)])
def test_a_lower_precision_is_proved_like_any(model, precision, lengths):
    path = model("full", attention=True, input_size=12, hidden_size=8)
    done = export(path, form="scan", precision=precision, lengths=lengths)
    assert {check.output for check in done.record.verified} == {"logits", "h_n", "c_n"}


def test_lengths_end_what_is_read_too(model):
    path = model("diagonal", attention=True)
    assert export(path, lengths=True).record.lengths


def test_bare_layers_of_a_model_with_attention_leave_it_out(model):
    path = model("none", attention=True)
    assert not export(path, head="layer").model.attention
    assert folder.read(path).folder.model.attention


@pytest.mark.parametrize("attention", [True, False])
def test_a_file_says_that_it_attends_and_others_say_nothing_as_before(config, tmp_path, attention):
    config = config("none", attention=attention)
    source = of_head("lm", config, random_weights(config, seed=4))
    said = serialise(source, "lstm", "fp32", tmp_path).metadata_props
    assert said.get("lstmbench.attention") == ("true" if attention else None)
