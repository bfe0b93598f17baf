"""Which export writes text, and what it may be compared with."""

from types import SimpleNamespace

import msgspec
import pytest

from lstmbench.cli.generate import _demand_one_model, _demand_placed, _writes_text
from lstmbench.errors import LstmbenchError
from lstmbench.records import ModelConfig, Placement

LM = ModelConfig(head="lm", peephole="full", input_size=2, hidden_size=3, vocabulary_size=4)


@pytest.fixture
def holds(recorded, monkeypatch, tmp_path):
    def holds(*names):
        made = [recorded(LM, folder=tmp_path, form=name.split("-")[0], precision=name.split("-")[1]) for name in names]
        monkeypatch.setitem(_writes_text.__globals__, "exports_of", lambda _folder: made)
        return tmp_path

    return holds


@pytest.mark.parametrize(
    ("names", "form", "precision", "taken"),
    [
        (("scan-int8", "scan-fp32"), None, None, "scan-fp32"),
        (("generate-fp32", "scan-int8"), None, None, "scan-int8"),
        (("scan-fp32", "scan-int8"), None, "int8", "scan-int8"),
        (("scan-fp32", "step-fp32", "step-int4"), "step", None, "step-fp32"),
        (("generate-int8", "generate-fp32"), "generate", None, "generate-fp32"),
    ],
)
def test_the_least_rounded_that_was_asked_for_writes(holds, names, form, precision, taken):
    exported = _writes_text(holds(*names), form, precision)
    assert f"{exported.record.form}-{exported.record.precision}" == taken


@pytest.mark.parametrize("asked", [("loop", None), (None, "int4"), ("scan", "int4")])
def test_what_is_not_there_is_told_with_what_is(holds, asked):
    with pytest.raises(LstmbenchError, match=r"holds no export of --.* there are scan-fp32, scan-int8: make it with"):
        _writes_text(holds("scan-fp32", "scan-int8"), *asked)


def test_a_rounded_file_is_not_compared_with_the_trained_weights(holds):
    exported = _writes_text(holds("scan-fp32", "scan-int8"), None, "int8")
    with pytest.raises(LstmbenchError, match=r"'torch' computes with the trained weights, .*-int8 holds rounded ones"):
        _demand_one_model(exported, "onnxruntime-cpu", "torch")
    _demand_one_model(exported, "onnxruntime-cpu", "onnxruntime-cpu")
    _demand_one_model(_writes_text(holds("scan-fp32"), None, None), "onnxruntime-cpu", "torch")


def test_no_text_under_the_name_of_a_provider_that_did_not_run_it(holds):
    def worker(ran):
        placement = (Placement(provider=ran, operator="LSTM", nodes=1, recurrent=True),)
        info = SimpleNamespace(provider="CUDAExecutionProvider", placement=placement)
        return SimpleNamespace(info=info, runtime="cuda", exported=_writes_text(holds("scan-fp32"), None, None))

    _demand_placed(worker("CUDAExecutionProvider"))
    with pytest.raises(LstmbenchError, match="ran on CPUExecutionProvider, not on CUDAExecutionProvider"):
        _demand_placed(worker("CUDAExecutionProvider"), worker("CPUExecutionProvider"))


def test_a_model_that_attends_writes_no_text_and_says_why(recorded, monkeypatch, tmp_path):
    made = [recorded(msgspec.structs.replace(LM, attention=True), folder=tmp_path)]
    monkeypatch.setitem(_writes_text.__globals__, "exports_of", lambda _folder: made)
    with pytest.raises(LstmbenchError, match="a token a call: attention reads the states of its own call"):
        _writes_text(tmp_path, None, None)
