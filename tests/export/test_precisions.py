"""A lower precision computes what its rounded weights make, in every form; its cost is measured beside the model."""

from types import SimpleNamespace

import msgspec
import numpy as np
import onnx
import onnx_ir as ir
import pytest

from lstmbench import disk
from lstmbench.errors import ExportError
from lstmbench.export import export, find, graph, integers, quality
from lstmbench.export import serialise as writing
from lstmbench.export.serialise import serialise
from lstmbench.export.source import of_head
from lstmbench.model import folder, reference, rounding
from lstmbench.model.weights import random_weights
from lstmbench.records import ExportRecord, steps_of

ort = pytest.importorskip("onnxruntime")

BELOW = ("fp16", "int8", "int4", "int4a8")
FORMS = [(cell, form) for cell in ("full", "diagonal") for form in ("scan", "loop", "step", "unrolled5")]
CASES = [(*case, precision) for case in [*FORMS, ("diagonal", "lstm"), ("none", "lstm")] for precision in BELOW]
CASES = [case for case in CASES if case[1] != "lstm" or not case[2].startswith("int4")]
SIZES = [
    ("lm", {"num_layers": 2, "tie_weights": True, "input_size": 40, "hidden_size": 40}),
    ("layer", {"num_layers": 2, "bidirectional": True, "hidden_size": 33, "bias": False}),
]


@pytest.fixture
def proto(config, tmp_path):
    """Make a graph as it is written, from random weights."""

    def proto(peephole, form, precision, head="lm", **sizes):
        made = config(peephole, head, **sizes)
        weights = random_weights(made, seed=3)
        model = serialise(of_head(head, made, weights), form, precision, tmp_path)
        return ir.to_proto(model), made, weights

    return proto


def session(proto):
    options = ort.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level = 3
    return ort.InferenceSession(proto.SerializeToString(), options, providers=["CPUExecutionProvider"])


def operators(graph):
    for node in graph.node:
        yield f"{node.domain or 'ai.onnx'}.{node.op_type}"
        for attribute in node.attribute:
            yield from operators(attribute.g)


@pytest.mark.parametrize("model", SIZES, ids=["lm", "layer"])
@pytest.mark.parametrize(("peephole", "form", "precision"), CASES)
def test_every_form_computes_what_its_rounded_weights_make(proto, failures, peephole, form, precision, model):
    head, sizes = model
    made, config, weights = proto(peephole, form, precision, head, **sizes)
    loaded = session(made)
    for batch, time in ((1, 1), (3, 2), (2, 7)):
        at = {"batch": batch, "time": steps_of(form) or time}
        assert not failures(loaded, config, weights, **at, precision=precision)


@pytest.mark.parametrize(("peephole", "form", "precision"), CASES)
def test_outside_all_floats_are_single_whatever_is_inside(proto, peephole, form, precision):
    made, *_ = proto(peephole, form, precision, "layer")
    outside = (*made.graph.input, *made.graph.output)
    assert {value.type.tensor_type.elem_type for value in outside} == {onnx.TensorProto.FLOAT}
    assert [value.name for value in outside] == ["x", "h_0", "c_0", "y", "h_n", "c_n"]


@pytest.mark.parametrize("precision", ["int8", "int4", "int4a8"])
@pytest.mark.parametrize("form", ["scan", "loop", "unrolled5"])
def test_no_product_stays_in_floats_and_int8_needs_no_operators_but_onnx_own(proto, form, precision):
    made, *_ = proto("full", form, precision)
    used = set(operators(made.graph))
    assert not used & {"ai.onnx.MatMul", "ai.onnx.Gemm"}
    assert ("com.microsoft.MatMulNBits" in used) == (precision != "int8")
    assert any(name.startswith("com.microsoft") for name in used) == (precision != "int8")
    assert [entry.domain for entry in made.opset_import] == ([""] if precision == "int8" else ["", "com.microsoft"])


def test_weights_of_an_unrolled_graph_stand_in_the_file_once_and_floats_not_at_all(proto):
    made, *_ = proto("full", "unrolled5", "int8", hidden_size=16)
    shapes = [(list(tensor.dims), tensor.data_type) for tensor in made.graph.initializer]
    assert shapes.count(([32, 64], onnx.TensorProto.INT8)) == 1
    assert not any(dims == [32, 64] and kind == onnx.TensorProto.FLOAT for dims, kind in shapes)


def test_the_lstm_operator_has_no_int4(model):
    with pytest.raises(ExportError, match=r"form 'lstm' cannot be int4: .* take form 'scan'$"):
        export(model("diagonal"), precision="int4")


def test_a_weight_beyond_float16_is_named(model):
    path = model("none")
    weights = folder.read(path).weights
    weights["lstm.weight_hh_l0"][0, 0] = 1e6
    folder.write_weights(path, weights, folder.WeightsNote(sha256=""))
    with pytest.raises(ExportError, match=r"l0.R holds 1e\+06: float16 ends at 65,504"):
        export(path, precision="fp16")
    assert not list(path.glob("*.onnx"))


nibbles, int8_weights = integers._nibbles, integers._int8_weights


def swapped(stored):
    codes = np.ascontiguousarray(nibbles(stored))
    return codes << 4 | codes >> 4


def twice_the_scale(codes):
    return int8_weights(codes._replace(scales=codes.scales * 2))


def without_peepholes(codes):
    U_and_P = codes.codes.copy()
    if U_and_P.shape == (24, 12):
        U_and_P[:, 6:] = 0
    return int8_weights(codes._replace(codes=U_and_P))


@pytest.mark.parametrize(
    ("precision", "target", "planted"),
    [
        ("int4", "_nibbles", swapped),
        ("int4a8", "_nibbles", swapped),
        ("int8", "_int8_weights", twice_the_scale),
        ("int8", "_int8_weights", without_peepholes),
    ],
)
def test_a_mistake_in_the_packing_is_caught_before_the_file_is_kept(model, monkeypatch, precision, target, planted):
    path = model("full")
    monkeypatch.setattr(integers, target, planted)
    with pytest.raises(ExportError, match="it computes another function than the model"):
        export(path, form="scan", precision=precision)
    assert not list(path.glob("*.onnx"))


@pytest.mark.parametrize("precision", ["fp16", "int8", "int4"])
def test_what_a_precision_costs_lies_beside_the_file(model, precision):
    path = model("diagonal", hidden_size=32)  # random weights make a full cell chaotic
    held_out = np.random.default_rng(0).integers(1, 9, 32 * 65)
    export(path, form="scan", precision=precision, held_out=held_out)
    cost = disk.read_record(path / f"scan-{precision}.json", ExportRecord).quality
    assert cost.tokens == 32 * 64
    assert 1 < cost.perplexity < 100
    assert abs(cost.perplexity_change) <= max(0.1, cost.perplexity_change_at_most)
    assert cost.perplexity_change < cost.perplexity_change_at_most
    assert 0.5 < cost.top1_agreement <= 1
    assert 0 < cost.kl_nats < 0.1
    assert 0 < cost.relative_error < {"fp16": 2e-3, "int8": 5e-2, "int4": 0.3}[precision]


def test_the_cost_is_that_of_the_reference_on_the_same_text(model):
    path = model("diagonal", hidden_size=16)
    held_out = np.random.default_rng(0).integers(1, 9, 32 * 65)
    cost = export(path, precision="int8", held_out=held_out).record.quality
    config, weights = folder.read(path).folder.model, folder.read(path).weights
    streams = held_out.reshape(32, 65)
    nats = []
    for made in ((config, weights), rounding.rounded(config, weights, "int8")):
        logits, _ = reference.run(*made, streams[:, :-1])
        p = np.exp(logits) / np.exp(logits).sum(-1, keepdims=True)
        nats.append(-np.log(np.take_along_axis(p, streams[:, 1:, None], -1)).mean())
    assert cost.perplexity == pytest.approx(np.exp(nats[1]), rel=2e-3)
    assert cost.perplexity_change == pytest.approx(np.expm1(nats[1] - nats[0]), abs=1e-3)


def test_full_precision_and_what_has_no_text_have_no_perplexity(model):
    path = model("full")
    assert export(path, held_out=np.arange(9).repeat(99)).record.quality is None
    assert export(path, precision="int8").record.quality is None
    cost = export(path, head="layer", precision="int8").record.quality
    assert 0 < cost.relative_error < 0.1
    assert cost.perplexity is cost.top1_agreement is cost.kl_nats is None


def test_the_bound_of_the_change_is_students():
    stats = pytest.importorskip("scipy.stats")
    change = np.random.default_rng(0).normal(0.01, 0.02, quality.ROWS)
    above = stats.ttest_1samp(change, 0).confidence_interval(0.90).high  # two-sided 90 % ends where one-sided 95 % does
    assert quality._at_most(change) == pytest.approx(above, rel=1e-6)


def test_a_text_that_is_too_short_is_said_to_be(model):
    with pytest.raises(ExportError, match=r"the held-out text has 40 tokens: 1056 are needed; take a longer$"):
        export(model("full"), precision="int8", held_out=np.ones(40, np.int64))


def test_a_quality_that_scores_the_wrong_targets_would_show(model, monkeypatch):
    """What the text says counts, not only that two models agree: repeated text is predicted by none of them."""
    path = model("none", gain=3.0)
    held_out = np.random.default_rng(0).integers(1, 9, 32 * 33)
    right = export(path, precision="int8", held_out=held_out).record.quality
    monkeypatch.setattr(quality, "_nats", lambda logits, _targets: np.zeros(len(logits)))
    wrong = export(path, precision="int8", held_out=held_out).record.quality
    assert wrong.perplexity == 1 < right.perplexity


def test_every_record_of_a_quality_can_be_read_again(model):
    path = model("full")
    exported = export(path, precision="int8", held_out=np.random.default_rng(0).integers(1, 9, 32 * 33))
    raw = msgspec.json.encode(exported.record)
    assert msgspec.json.decode(raw, type=ExportRecord) == exported.record


@pytest.mark.parametrize("precision", ["int8", "int4", "int4a8"])
@pytest.mark.parametrize("units", [5, 16])  # of a vocabulary of nine: looked up where there are as many units
def test_a_graph_that_draws_is_proved_in_integers_too(model, precision, units):
    exported = export(model("full", hidden_size=units), form="generate", precision=precision)
    assert {check.output for check in exported.record.verified} == {"tokens", "h_n", "c_n"}
    assert exported.record.quality is None


def test_draws_stay_in_single_floats(model):
    with pytest.raises(ExportError, match=r"^form 'generate' cannot be fp16: .*; take int8 or fp32$"):
        export(model("full"), form="generate", precision="fp16")


def test_an_integer_graph_that_looks_up_what_steps_would_round_by_themselves_is_caught(model, monkeypatch):
    build = graph.build
    monkeypatch.setattr(writing, "build", lambda *a, **_: build(*a, look_up=True))
    with pytest.raises(ExportError, match="it computes another function"):
        export(model("diagonal", hidden_size=33, gain=2.0), form="generate", precision="int8")


@pytest.mark.parametrize("precision", BELOW)
@pytest.mark.parametrize(("head", "scale"), [("lm", 0), ("layer", 0), ("layer", 1e-36)])
def test_a_model_of_zeros_is_exported_and_its_record_can_be_read(model, precision, head, scale):
    path = model("full", head, hidden_size=32)
    weights = {name: tensor * np.float32(scale) for name, tensor in folder.read(path).weights.items()}
    folder.write_weights(path, weights, folder.WeightsNote(sha256=""))
    held_out = np.random.default_rng(0).integers(1, 9, 32 * 33)
    export(path, form="scan", precision=precision, held_out=held_out)
    (found,) = find(path)
    off = found.record.quality.relative_error
    assert off is None or 0 <= off <= 1  # 1: all that there was is below the smallest float16


def test_what_turns_to_nan_on_unseen_text_is_not_kept(model, monkeypatch):
    side_by_side = quality.Worker.run

    def broken(worker, inputs, state=None, **how):
        output, after = side_by_side(worker, inputs, state, **how)
        return (output * np.float32("nan") if len(inputs) == quality.ROWS else output), after

    monkeypatch.setattr(quality.Worker, "run", broken)
    with pytest.raises(ExportError, match=r"was not kept: it gives NaN"):
        export(model("diagonal"), precision="int8", held_out=np.random.default_rng(0).integers(1, 9, 32 * 33))


def test_nats_beyond_all_numbers_end_in_a_number(monkeypatch):
    worse = [(np.zeros((32, 32, 2), np.float32), np.tile(np.float32([0, -5000]), (32, 32, 1)))]
    monkeypatch.setattr(quality, "_side_by_side", lambda *_: iter(worse))
    worker = SimpleNamespace(exported=SimpleNamespace(steps=None))
    cost = quality.of_text(worker, {}, np.ones(32 * 33, np.int64))
    assert 1e300 < cost.perplexity_change <= cost.perplexity_change_at_most < float("inf")
