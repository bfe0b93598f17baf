"""What no weights explain is named too: whose state came out, which tokens, which limit, which layer's lengths."""

import sys
from pathlib import Path

import msgspec
import numpy as np
import onnx_ir as ir
import pytest

from lstmbench.arrays import State
from lstmbench.check.differences.box import Box
from lstmbench.check.differences.isolated import Model
from lstmbench.check.differences.search import most_probes, search
from lstmbench.check.differences.wrong_runs import Run
from lstmbench.export.serialise import serialise
from lstmbench.export.source import Source
from lstmbench.mistakes import Mistake
from lstmbench.model import reference, stimulus

pytest.importorskip("onnxruntime")
sys.path.insert(0, str(Path(__file__).parent))
import onnxruntime as ort
import plantings
import study

FORMS = ("scan", "unrolled4")  # of which single steps can be asked for, and not
ENDS = np.array([9, 1, 4], np.int32)


def found(config, weights, call, form):
    """Search what an engine of its own answers, with the right weights beside it."""
    planting = plantings.Planting("", plantings.Truth("layer", 0), weights, call)
    return study.search_one(config, weights, planting, form, "fp32")


def found_in(config, weights, wrong, form):
    """Search an export whose weights are wrong."""
    planting = plantings.Planting("", plantings.Truth("layer", 0), weights | wrong)
    return study.search_one(config, weights, planting, form, "fp32")


def giving(config, weights, change):
    """An engine that computes rightly and gives its states out wrongly."""

    def call(inputs, state):
        y, (h, c) = reference.run(config, weights, inputs, state, dtype=np.float32)
        return y, State(*change(h, c))

    return call


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize(("change", "words"), [
    (
        lambda h, c: (h[::-1], c),
        "h_n holds h of layer 1 in the place of layer 0 and h of layer 0 in the place of layer 1",
    ),
    (lambda h, c: (h, c[[1, 1]]), "c_n holds c of layer 1 in the place of layer 0"),
    (lambda h, c: (h, c * [[[1]], [[0]]]), "c_n holds zeros in the place of layer 1"),
    (lambda h, c: (c, h), "h_n and c_n have changed places in layer 0 and in layer 1"),
])  # fmt: skip
def test_whose_state_came_out_in_the_place_of_another(form, change, words):
    config, weights = plantings.model("diagonal", "lm", 1)
    place = found(config, weights, giving(config, weights, change), form)
    assert (place.part, place.words) == ("layer" if "changed" in words else "output", words)
    assert (place.layer, place.gates, place.terms) == (
        int("place of layer 1" in words and "layer 0" not in words),
        "",
        (),
    )


def test_directions_that_have_changed_places_in_a_state():
    config, weights = plantings.model("none", "layer", 2, bidirectional=True)
    place = found(config, weights, giving(config, weights, lambda h, c: (h, c[[0, 1, 3, 2]])), "scan")
    other = "c_n holds c of layer 1, reverse in the place of layer 1 and c of layer 1 in the place of layer 1, reverse"
    assert (place.part, place.layer, place.words) == ("output", 1, other)


def test_a_state_that_is_nobodys_is_left_to_the_layer():
    config, weights = plantings.model("none", "layer", 2)
    place = found(config, weights, giving(config, weights, lambda h, c: (h, c + np.float32(0.01))), "unrolled4")
    assert (place.part, place.layer) == ("layer", 0)


def exchanged(array, a=3, b=5):
    array = array.copy()
    array[[a, b]] = array[[b, a]]
    return array


@pytest.mark.parametrize("form", ["step", "unrolled4"])
def test_rows_of_the_embedding_that_have_changed_places_are_named(form):
    config, weights = plantings.model("diagonal", "lm", 1)
    place = found_in(config, weights, {"embedding.weight": exchanged(weights["embedding.weight"])}, form)
    words = "tokens 3 and 5 have changed places in the embedding"
    assert (place.part, place.layer, place.terms, place.words) == ("layer", 0, ("input",), words)


@pytest.mark.parametrize("form", FORMS)
def test_every_token_that_has_anothers_embedding_is_named_and_the_first_of_many(form):
    config, weights = plantings.model("none", "lm", 1)
    wrong = weights["embedding.weight"].copy()
    wrong[2:9] = wrong[3:10]
    place = found_in(config, weights, {"embedding.weight": wrong}, form)
    assert place.words.startswith("tokens have the embedding of others: 2 has that of 3, 3 has that of 4, ")
    assert place.words.endswith("6 has that of 7, …")


@pytest.mark.parametrize("name", ["decoder.weight", "decoder.bias"])
def test_tokens_that_have_changed_places_in_the_logits(name):
    config, weights = plantings.model("none", "lm", 1)
    whole = name == "decoder.weight"
    parts = ("decoder.weight", "decoder.bias") if whole else (name,)
    place = found_in(config, weights, {part: exchanged(weights[part]) for part in parts}, "scan")
    assert (place.part, place.layer) == ("output", None)
    named = "tokens 3 and 5 have changed places in the logits"
    assert place.words == (named if whole else "the projection's bias is wrong for tokens 3, 5")


def clipping(clip):
    return Mistake("clipped", lambda case: plantings._float32(case.told(clip=clip)))


@pytest.mark.parametrize("clip", [0.25, 1.5])
@pytest.mark.parametrize("cell", ["none", "diagonal"])
def test_a_clip_is_named_with_its_value(cell, clip):
    config, weights = plantings.model(cell, "lm", 2)
    place = found(config, weights, plantings.Engine(config, weights, (1, 0), clipping(clip)), "scan")
    words = f"the sums of the gates, and c' before its tanh, are clipped to ±{clip}"
    assert (place.part, place.layer, place.gates, place.terms, place.words) == ("layer", 1, "", (), words)


def of_operators(config, weights, edit, *, lengths=False):
    """ONNX Runtime on an export of LSTM operators that was edited."""
    built = serialise(Source(config, weights, lengths), "lstm", "fp32", Path("no such folder"))
    edit([node for node in built.graph if node.op_type == "LSTM"])
    session = ort.InferenceSession(ir.to_proto(built).SerializeToString(), providers=["CPUExecutionProvider"])
    first = session.get_inputs()[0].name

    def call(inputs, state, *, lengths=None):
        given = {} if lengths is None else {"lengths": lengths}
        output, h, c = session.run(config.output_names, {first: inputs, "h_0": state.h, "c_0": state.c, **given})
        return output, State(h, c)

    return call


def test_the_clip_of_a_node_of_onnx_runtime_is_that_of_its_sums():
    def edit(nodes):
        nodes[1].attributes["clip"] = ir.AttrFloat32("clip", 0.7)

    config, weights = plantings.model("diagonal", "layer", 3)
    place = found(config, weights, of_operators(config, weights, edit), "lstm")
    assert (place.layer, place.words) == (1, "the sums of the gates are clipped to ±0.7")


def test_a_clipped_cell_state_is_named_with_its_value():
    def step(case):
        _, h, c = plantings._float32(case)
        z = np.float32(0.3)
        o = np.where(np.tanh(c) == 0, 0, h / np.tanh(c))
        c = c.clip(-z, z)
        return (o * np.tanh(c))[None], o * np.tanh(c), c

    config, weights = plantings.model("none", "layer", 3)
    place = found(config, weights, plantings.Engine(config, weights, (0, 0), Mistake("cell clip", step)), "scan")
    assert (place.layer, place.words) == (0, "c' is clipped to ±0.3")


def searched(config, weights, call, form):
    plain = plantings.exported(config, form)
    exported = msgspec.structs.replace(plain, record=msgspec.structs.replace(plain.record, lengths=True))
    box = Box(study.Called(call), exported)
    given, time = box.call, box.exported.steps or 9

    def with_lengths(inputs, state, *, lengths=None):
        every = np.full(len(inputs), inputs.shape[1], np.int32)
        return given(inputs, state, lengths=every if lengths is None else lengths)

    box.call = with_lengths
    inputs = stimulus.inputs(config, batch=3, time=time, seed=7)
    run = Run(inputs, stimulus.state(config, batch=3, seed=8), ENDS.clip(max=time), (time,))
    place = search(box, Model(exported, weights), run)
    assert box.probes <= most_probes(3, time)
    return place


@pytest.mark.parametrize("k", [0, 1])
@pytest.mark.parametrize(("head", "both"), [("lm", False), ("layer", False), ("layer", True)])
def test_a_layer_that_alone_ignores_lengths_is_named(head, both, k):
    config, weights = plantings.model("diagonal", head, 3, bidirectional=both)
    call = of_operators(config, weights, lambda nodes: nodes[k].replace_input_with(4, None), lengths=True)
    place = searched(config, weights, call, "lstm")
    words = f"layer {k}, in both directions, ignores lengths" if both else f"layer {k} ignores lengths"
    assert (place.part, place.layer) == ("joining", k)
    assert place.words.endswith(words)


def endless(config, weights, wrong):
    """An engine whose layer `wrong`, of one direction, takes every step of every row."""
    model = Model(plantings.exported(config, "scan"), weights)

    def call(inputs, state, *, lengths):
        x, h, c = model.embed(inputs), *(array.copy() for array in state)
        for k in range(config.num_layers):
            parts = []
            for row in (row for row in model.rows if row.k == k):
                n, ends = model.index(row), np.full(len(x), x.shape[1]) if row == wrong else lengths
                y, h[n], c[n] = model.directed(row, x, (h[n], c[n]), ends)
                parts.append(y)
            x = np.concatenate(parts, axis=-1)
        output = reference.read_out(config, weights, x) if config.head == "lm" else x
        return output.astype(np.float32), State(h, c)

    return call


@pytest.mark.parametrize("n", range(4))
def test_a_direction_that_alone_ignores_lengths_is_named(n):
    config, weights = plantings.model("none", "layer", 3, bidirectional=True)
    wrong = Model(plantings.exported(config, "scan"), weights).rows[n]
    place = searched(config, weights, endless(config, weights, wrong), "scan")
    assert (place.part, place.layer, place.reverse) == ("joining", wrong.k, bool(wrong.d))
    assert place.words.endswith(f"{wrong.words} ignores lengths")


@pytest.mark.parametrize("n", [0, 1])
def test_a_layer_that_ignores_lengths_shows_in_a_call_of_several_steps_too(n):
    config, weights = plantings.model("none", "lm", 3)
    wrong = Model(plantings.exported(config, "scan"), weights).rows[n]
    place = searched(config, weights, endless(config, weights, wrong), "unrolled4")
    assert (place.layer, place.words) == (n, "lengths are ignored")
