"""The fastest within the loss that is allowed is kept, and two are called different only when every round says so."""

import msgspec
import numpy as np
import pytest

from lstmbench.errors import LstmbenchError
from lstmbench.export import Storage
from lstmbench.export import export as write
from lstmbench.flows import candidates, choose
from lstmbench.flows.candidates import Candidate, Wish
from lstmbench.model import folder
from lstmbench.model.weights import random_weights
from lstmbench.records import (
    Load,
    Measurement,
    ModelConfig,
    ModelFolder,
    Quality,
    Timing,
    Workload,
)
from lstmbench.samples import Case

pytest.importorskip("onnxruntime")

CONFIG = ModelConfig(head="lm", peephole="diagonal", input_size=24, hidden_size=24, vocabulary_size=9)
SCORE = Workload(kind="score", batch=2, time=3)
HELD_OUT = np.random.default_rng(0).integers(1, 9, 32 * 33)
WISH = Wish(None, None, None, SCORE, "onnxruntime-cpu", threads=1, max_loss=0.05)


@pytest.fixture
def model(tmp_path):
    path = tmp_path / "tiny"
    folder.write_config(path, ModelFolder(model=CONFIG))
    folder.write_weights(path, random_weights(CONFIG, seed=4, gain=0.5), folder.WeightsNote(sha256=""))
    return path


@pytest.fixture
def speeds(monkeypatch, written):
    """Replace check and bench: each candidate takes the time that is given, in every round."""

    def speeds(of, refused=()):
        def assess(exported, _runtimes, workloads, **_):
            return None, [row for one in exported for row in rows(one, workloads[0])]

        def rows(one, workload):
            """A process for each time that it is said to take."""
            name = f"{one.record.form}-{one.record.precision}"
            bad = "wrong" if name in refused else ""
            for process, second in enumerate(of(name)):
                yield Measurement(
                    machine="m",
                    subject=subject(one),
                    workload=workload,
                    process=process,
                    timing=None if bad else taken(second),
                    refused=bad,
                )

        monkeypatch.setattr(candidates, "assess", assess)
        monkeypatch.setattr(candidates, "export", written)
        monkeypatch.setattr(choose, "put", lambda *_: None)

    return speeds


@pytest.fixture
def written(recorded):
    """What `export` returns, without the seconds that it takes to prove."""

    def written(path, *, head, form, precision, lengths, held_out, storage=None):
        del head, lengths, storage
        loss = {"fp16": 0.0001, "int8": 0.001, "int4": 0.1, "int4a8": 0.1}.get(precision)
        cost = Quality(relative_error=0.1, perplexity=2.0, perplexity_change_at_most=loss)
        known = {"sha256": f"{form}{precision}", "quality": None if loss is None or held_out is None else cost}
        return recorded(CONFIG, folder=path, form=form, precision=precision, **known)

    return written


def subject(one):
    from lstmbench.records import Subject

    known = {name: getattr(one.record, name) for name in ("form", "precision")}
    return Subject(
        model=one.name,
        model_sha256=one.record.sha256,
        head="lm",
        peephole="diagonal",
        runtime="onnxruntime-cpu",
        runtime_version="1",
        code_sha256="",
        threads=1,
        **known,
    )


def taken(second):
    samples = (second,) * 9
    return Timing(
        session=Load(at="", load_average=(0, 0, 0), cpu_mhz=None),
        budget_s=1,
        fresh=True,
        spawn_s=1,
        load_s=1,
        warmup_s=(1,),
        steady=True,
        wall_s=sum(samples),
        cpu_s=sum(samples),
        start_s=samples,
        sample_s=samples,
        rounds=(9,),
    )


def choose_it(path, **wish):
    return choose.choose(path, WISH._replace(**{"form": "scan"} | wish), held_out=HELD_OUT, progress=lambda _: None)


def test_every_form_and_precision_is_tried_here_and_one_file_comes_to_those_that_were_there(model):
    write(model, form="step")
    wish = WISH._replace(storage=Storage(opset=20))
    choice = choose.choose(model, wish, held_out=HELD_OUT, progress=lambda _: None)
    tried = {(one.form, one.precision) for one in choice.candidates}
    assert {form for form, _ in tried} == {"lstm", "scan", "loop"}
    assert len(tried) == 3 * 5
    assert [one.refused for one in choice.candidates if one.form == "lstm" and one.precision == "int4"] == [
        "form 'lstm' cannot be int4: ONNX Runtime's LSTM operators end at int8; take form 'scan'"
    ]
    kept = choice.kept
    added = {kept.record.file, kept.path.with_suffix(".json").name}
    assert kept.record.opset == 20  # as it was asked for, and so as it was timed
    assert {p.name for p in model.iterdir()} - added == {
        "config.json",
        "weights.safetensors",
        "step-fp32.json",
        "step-fp32.onnx",
    }
    assert any((one.form, one.precision) == (kept.record.form, kept.record.precision) for one in choice.tied)


def test_the_fastest_is_kept(model, speeds):
    speeds(lambda name: [1.0] * 8 if name == "scan-int8" else [2.0] * 8)
    choice = choose_it(model)
    assert (choice.kept.record.form, choice.kept.record.precision) == ("scan", "int8")
    assert [one.p50_s for one in choice.candidates[:2]] == [1.0, 2.0]


def test_the_fastest_that_costs_too_much_is_not(model, speeds):
    speeds(lambda name: [1.0] * 8 if "int" in name else [2.0] * 8)
    choice = choose_it(model, max_loss=0.0)
    assert choice.kept.record.precision == "fp32"
    out = next(one for one in choice.candidates if one.precision == "int4" and one.form == "scan")
    assert out.refused == "costs up to 10.00%, more than 0.00%"
    assert out.case is None


def test_what_fails_its_check_is_not_kept_however_fast(model, speeds):
    speeds(lambda name: [1.0] * 8 if name == "scan-int8" else [2.0] * 8, refused=["scan-int8"])
    choice = choose_it(model)
    assert choice.kept.record.file != "scan-int8.onnx"
    assert next(one.refused for one in choice.candidates if (one.form, one.precision) == ("scan", "int8")) == "wrong"


def test_of_what_is_not_told_apart_the_least_rounded_is_kept(model, speeds):
    once_faster = [1.4] * 7 + [0.9]
    speeds(lambda name: {"scan-int8": [1.0] * 8, "scan-fp32": once_faster}.get(name, [2.0] * 8))
    choice = choose_it(model)
    assert {(one.form, one.precision) for one in choice.tied} == {("scan", "int8"), ("scan", "fp32")}
    assert choice.kept.record.file == "scan-fp32.onnx"


def test_a_form_or_a_precision_that_is_given_stays(model, speeds):
    speeds(lambda _: [1.0] * 8)
    assert {one.form for one in choose_it(model, form="unrolled3").candidates} == {"unrolled3"}
    assert {one.precision for one in choose_it(model, form=None, precision="int8").candidates} == {"int8"}


def test_step_is_a_candidate_where_one_step_is_a_call(model, speeds):
    speeds(lambda _: [1.0] * 8)
    decode = msgspec.structs.replace(SCORE, kind="decode")
    assert "step" in {one.form for one in choose_it(model, form=None, precision="fp32", workload=decode).candidates}
    assert "step" not in {one.form for one in choose_it(model, form=None, precision="fp32").candidates}


@pytest.mark.parametrize("runtime", ["onnxruntime-webgpu", "onnxruntime-webgpu==1.27.0", "onnxruntime-cpu"])
def test_steps_in_the_graph_are_a_candidate_for_devices_alone(model, speeds, monkeypatch, runtime):
    monkeypatch.setattr(choose.environments, "demand", lambda _: None)
    speeds(lambda name: [1.0] * 8 if "unrolled3" in name else [2.0] * 8)
    choice = choose_it(model, form=None, precision="fp32", runtime=runtime)
    assert ("unrolled3" in {one.form for one in choice.candidates}) == ("webgpu" in runtime)
    assert (choice.kept.record.form == "unrolled3") == ("webgpu" in runtime)


def test_a_form_that_the_device_leaves_to_the_cpu_is_not_kept(model, speeds, monkeypatch):
    """As CUDA's provider does with an LSTM that has P: the check refuses it for its placement, and it has no speed."""
    monkeypatch.setattr(choose.environments, "demand", lambda _: None)
    speeds(lambda name: [1.0] * 8 if "lstm" in name else [2.0] * 8, refused=("lstm-fp32",))
    choice = choose_it(model, form=None, precision="fp32", runtime="onnxruntime-cuda")
    assert choice.kept.record.form in {"scan", "loop", "unrolled3"}
    assert [one.refused for one in choice.candidates if one.form == "lstm"] == ["wrong"]


def test_nothing_below_fp32_is_kept_where_its_cost_cannot_be_told(model, speeds):
    speeds(lambda name: [1.0] * 8 if "int8" in name else [2.0] * 8)
    choice = choose.choose(model, WISH._replace(form="scan"), held_out=None, progress=lambda _: None)
    assert choice.kept.record.precision == "fp32"
    with pytest.raises(LstmbenchError, match="no candidate may be kept; the first: what it costs is not measured"):
        choose.choose(model, WISH._replace(form="scan", precision="int8"), held_out=None, progress=lambda _: None)


def test_slower_means_slower_in_every_process():
    def candidate(form, seconds):
        return Candidate(form, "fp32", case=Case(None, WISH.workload, tuple(map(taken, seconds)), ""))

    fast = candidate("scan", [1.0] * 8)
    for seconds, slower in (([1.1] * 8, True), ([1.1] * 7 + [1.0], False), ([0.9] * 8, False)):
        assert choose._slower(candidate("loop", seconds), fast) is slower


def test_a_name_that_is_taken_is_out_before_anything_is_timed(model, speeds):
    (model / "scan-int8.onnx").write_bytes(b"somebody's own")
    speeds(lambda name: [1.0] * 8 if name == "scan-int8" else [2.0] * 8)
    choice = choose_it(model)
    assert choice.kept.record.file == "scan-fp32.onnx"
    assert "is there already and is kept" in next(one.refused for one in choice.candidates if one.precision == "int8")


@pytest.mark.parametrize(
    ("wish", "why"),
    [
        ({"storage": Storage(opset=17)}, "opset 17 cannot be"),
        ({"form": "generate"}, "'generate' is not chosen"),
        ({"runtime": "numpy"}, "runtime 'numpy' computes from the checkpoint"),
        ({"form": "unrolled4"}, "form 'unrolled4' takes T = 4 a call alone"),
        (
            {"head": "layer", "workload": Workload(kind="decode", batch=1, time=3)},
            "bare layers have no tokens to decode",
        ),
    ],
)
def test_what_cannot_be_is_said_before_anything_is_written(model, monkeypatch, wish, why):
    monkeypatch.setattr(candidates, "export", None)
    with pytest.raises(LstmbenchError, match=why):
        choose_it(model, **wish)


@pytest.mark.parametrize("loss", [float("nan"), float("inf")])
def test_a_loss_that_is_no_number_is_above_every_limit(model, written, loss):
    made = written(model, head=None, form="scan", precision="int8", lengths=False, held_out=HELD_OUT)
    bad = msgspec.structs.replace(made.record.quality, perplexity_change_at_most=loss)
    made = msgspec.structs.replace(made, record=msgspec.structs.replace(made.record, quality=bad))
    assert candidates._judged("scan", made, 1.0).refused.startswith("costs up to ")
