"""Rows of unequal length: every form and precision against the reference, and the mistakes that the proof catches."""

import numpy as np
import onnx_ir as ir
import pytest

from lstmbench import disk
from lstmbench.errors import ExportError
from lstmbench.export import ends, export, find, graph, loop, lstm, nodes
from lstmbench.export.serialise import serialise
from lstmbench.export.source import of_head
from lstmbench.model import stimulus
from lstmbench.model.weights import random_weights
from lstmbench.parity import compare, expect
from lstmbench.records import ExportRecord, steps_of
from lstmbench.worker import Worker

ort = pytest.importorskip("onnxruntime")

PRECISIONS = ("fp32", "fp16", "int8", "int4", "int4a8")
CELLS = [(cell, form) for cell in ("full", "diagonal", "none") for form in ("scan", "loop", "unrolled5")]
CASES = [(*case, p) for case in [*CELLS, ("diagonal", "lstm"), ("none", "lstm")] for p in PRECISIONS]
CASES = [case for case in CASES if case[1] != "lstm" or not case[2].startswith("int4")]
SIZES = [
    ("lm", {"num_layers": 2, "tie_weights": True, "input_size": 40, "hidden_size": 40}),
    ("layer", {"num_layers": 2, "bidirectional": True, "hidden_size": 33, "bias": False}),
]


@pytest.fixture
def loaded(config, tmp_path):
    """Load a graph that takes lengths, of random weights."""

    def loaded(peephole, form, precision="fp32", head="layer", *, seed=3, lengths=True, **sizes):
        made = config(peephole, head, **sizes)
        weights = random_weights(made, seed=seed)
        graph = serialise(of_head(head, made, weights, lengths=lengths), form, precision, tmp_path)
        data = ir.to_proto(graph).SerializeToString()
        options = ort.SessionOptions()
        options.intra_op_num_threads, options.log_severity_level = 1, 3
        return ort.InferenceSession(data, options, providers=["CPUExecutionProvider"]), made, weights

    return loaded


def feeds(config, batch, time, *, seed=11):
    state = stimulus.state(config, batch=batch, seed=seed)
    return {
        "input_ids" if config.head == "lm" else "x": stimulus.inputs(config, batch=batch, time=time, seed=seed),
        "h_0": state.h,
        "c_0": state.c,
        "lengths": stimulus.lengths(batch=batch, time=time, seed=seed),
    }


def expected(config, weights, given, **how):
    inputs, h, c, lengths = given.values()
    return expect(config, weights, inputs, (h, c), lengths=lengths, **how)


@pytest.mark.parametrize("model", SIZES, ids=["lm", "layer"])
@pytest.mark.parametrize(("peephole", "form", "precision"), CASES)
def test_every_form_computes_what_the_reference_does(loaded, peephole, form, precision, model):
    head, sizes = model
    session, config, weights = loaded(peephole, form, precision, head, **sizes)
    for batch, time in ((1, 3), (3, 2), (5, 7)):
        given = feeds(config, batch, steps_of(form) or time)
        outputs = session.run(config.output_names, given)
        wants = expected(config, weights, given, precision=precision, operator=form == "lstm")
        for got, e in zip(outputs, wants, strict=True):
            assert compare(got, e.want, name=e.name, bound=e.bound, judged=e.judged).passed


@pytest.mark.parametrize("form", ["lstm", "scan", "loop", "unrolled5"])
def test_what_stands_beyond_a_rows_end_is_never_seen(loaded, form):
    session, config, _ = loaded("diagonal", form, num_layers=2, bidirectional=True)
    given = feeds(config, 4, 5)
    beyond = np.arange(5) >= given["lengths"][:, None]
    zeros, garbage = ({**given, "x": np.where(beyond[..., None], fill, given["x"])} for fill in (0, np.nan))
    for one, other in zip(*(session.run(config.output_names, f) for f in (zeros, garbage)), strict=True):
        np.testing.assert_array_equal(one, other.astype(np.float32))
    y = session.run(["y"], garbage)[0]
    assert not y[beyond].any()


def test_logits_beyond_a_rows_end_are_the_bias(loaded):
    session, config, weights = loaded("full", "scan", head="lm")
    given = feeds(config, 3, 4)
    logits = session.run(["logits"], given)[0]
    beyond = np.arange(4) >= given["lengths"][:, None]
    np.testing.assert_array_equal(logits[beyond], np.broadcast_to(weights["decoder.bias"], logits[beyond].shape))


def off(loaded, seed, *, operator):
    """How far an int8 LSTM operator is off, over the largest error of the reference's own runs."""
    session, config, weights = loaded("none", "lstm", "int8", seed=seed, hidden_size=2, input_size=3)
    shares = []
    for batch, time in ((1, 7), (9, 4)):
        given = feeds(config, batch, time, seed=seed)
        outputs = session.run(config.output_names, given)
        wants = expected(config, weights, given, precision="int8", operator=operator)
        shares += [np.abs(got - e.want).max() / e.float32_error for got, e in zip(outputs, wants, strict=True)]
    return max(shares)


def test_the_reference_rounds_as_the_int8_operator_does_element_by_element(loaded):
    assert max(off(loaded, seed, operator=True) for seed in range(12)) < 1.05


def test_rounded_as_in_a_scan_the_int8_operator_would_be_out_of_its_bound(loaded):
    assert max(off(loaded, seed, operator=False) for seed in range(12)) > 2


def test_in_the_body_of_a_scan_lengths_cost_one_node(config, tmp_path):
    made = config("full", "layer")
    source = of_head("layer", made, random_weights(made, seed=3))
    counts = []
    for lengths in (False, True):
        proto = ir.to_proto(serialise(source._replace(lengths=lengths), "scan", "fp32", tmp_path))
        (body,) = (
            a.g for node in proto.graph.node if node.op_type == "Scan" for a in node.attribute if a.name == "body"
        )
        counts.append(len(body.node))
        assert ("lengths" in [value.name for value in proto.graph.input]) == lengths
        assert ("lstmbench.lengths" in [entry.key for entry in proto.metadata_props]) == lengths
    assert counts[1] == counts[0] + 1


# files


@pytest.mark.parametrize(
    ("peephole", "form", "head", "file"),
    [
        ("diagonal", None, "lm", "lstm-fp32-lengths.onnx"),
        ("full", None, "layer", "layer-scan-fp32-lengths.onnx"),
        ("full", "unrolled3", "lm", "unrolled3-fp32-lengths.onnx"),
    ],
)
def test_a_file_lies_beside_the_one_without_and_is_found_after_it(model, peephole, form, head, file):
    path = model(peephole)
    plain = export(path, form=form, head=head)
    taking = export(path, form=form, head=head, lengths=True)
    assert taking.path == path / file
    assert taking.name == f"tiny/{file.removesuffix('.onnx')}"
    assert (plain.record.lengths, taking.record.lengths) == (False, True)
    assert find(path) == [plain, taking]


def test_a_record_from_before_there_were_lengths_is_read_as_one_without(model):
    path = model("full")
    export(path)
    sidecar = path / "scan-fp32.json"
    sidecar.write_text(sidecar.read_text().replace('"lengths":false,', "").replace('"lengths": false,', ""))
    assert "lengths" not in sidecar.read_text()
    assert disk.read_record(sidecar, ExportRecord).lengths is False
    assert len(find(path)) == 1


def test_where_none_are_given_every_row_is_whole(model):
    path = model("full")
    plain, taking = export(path), export(path, lengths=True)
    tokens = np.array([[1, 2, 3], [4, 5, 6]])
    with Worker("onnxruntime-cpu", plain) as one, Worker("onnxruntime-cpu", taking) as other:
        for got, want in zip(other.run(tokens)[1], one.run(tokens)[1], strict=True):
            np.testing.assert_allclose(got, want, atol=1e-6)


def test_lengths_change_nothing_of_what_a_precision_costs(model):
    path, held_out = model("diagonal", hidden_size=16), np.random.default_rng(0).integers(1, 9, 32 * 33)
    costs = [
        export(path, form="scan", precision="int4", lengths=n, held_out=held_out).record.quality for n in (False, True)
    ]
    assert costs[1].perplexity == pytest.approx(costs[0].perplexity, rel=1e-5)


@pytest.mark.parametrize(("form", "able"), [("step", "scan, loop or unrolledN"), ("unrolled1", "scan, loop or")])
def test_one_step_a_call_has_no_rows_of_unequal_length(model, form, able):
    path = model("full")
    with pytest.raises(ExportError, match=f"form '{form}' runs one step a call, .* or take form {able}"):
        export(path, form=form, lengths=True)
    assert not list(path.glob("*.onnx"))


# the mistakes that an exporter makes


def refused(path, form, **arguments):
    with pytest.raises(ExportError, match=r"-lengths.onnx was not kept: .* computes another function") as caught:
        export(path, form=form, lengths=True, **arguments)
    assert "\n" not in str(caught.value)
    assert not list(path.glob("*-lengths.*"))


STEPPED = ["scan", "loop", "unrolled3"]


def dropped(which):
    """No mask on the values whose name ends so: the row runs on beyond its end."""
    keep = ends.keep
    return lambda step, name, goes_on, after, before: (
        step.add(name, "Identity", [after]) if which in name else keep(step, name, goes_on, after, before)
    )


@pytest.mark.parametrize("form", STEPPED)
@pytest.mark.parametrize("which", ["_kept", ".h_kept", ".c_kept"])
def test_a_mask_that_spares_the_state_is_caught(model, monkeypatch, form, which):
    monkeypatch.setattr(ends, "keep", dropped(which))
    refused(model("full"), form)


@pytest.mark.parametrize("form", STEPPED)
def test_an_output_that_is_not_cut_is_caught(model, monkeypatch, form):
    monkeypatch.setattr(ends, "cut", lambda _nodes, _direction, y, _goes_on: y)
    refused(model("none"), form)


@pytest.mark.parametrize("form", STEPPED)
@pytest.mark.parametrize("operator", ["LessOrEqual", "Greater"])
def test_a_mask_that_is_off_by_one_or_turned_is_caught(model, monkeypatch, form, operator):
    add = nodes.Nodes.add

    def other(self, name, kind, inputs, **attributes):
        return add(self, name, operator if kind == "Less" else kind, inputs, **attributes)

    monkeypatch.setattr(nodes.Nodes, "add", other)
    refused(model("diagonal"), form)


@pytest.mark.parametrize("form", STEPPED)
def test_a_reverse_direction_that_starts_at_the_last_step_is_caught(model, monkeypatch, form):
    monkeypatch.setattr(ends, "keep", dropped("reverse"))
    refused(model("full", "layer", bidirectional=True), form)


def test_a_mask_that_is_not_turned_with_the_reverse_loop_is_caught(model, monkeypatch):
    backwards = loop._backwards
    monkeypatch.setattr(loop, "_backwards", lambda n, name, v: v if "ends" in name else backwards(n, name, v))
    refused(model("none", "layer", bidirectional=True), "loop")


@pytest.mark.parametrize("precision", ["fp32", "int8"])
def test_an_operator_without_its_sequence_lens_is_caught(model, monkeypatch, precision):
    def without(built, source, k, x, start):
        return lstm.layer(built, source, k, x, start._replace(ends=None))

    monkeypatch.setitem(graph._LAYERS, "lstm", without)
    refused(model("diagonal"), "lstm", precision=precision)


@pytest.mark.parametrize("form", STEPPED)
def test_lengths_of_another_row_are_caught(model, monkeypatch, form):
    going_on = ends.going_on

    def longest(built, lengths, x, steps):
        return going_on(built, built.add("head.longest", "ReduceMax", [lengths], keepdims=1), x, steps)

    monkeypatch.setattr(ends, "going_on", longest)
    refused(model("full"), form)
