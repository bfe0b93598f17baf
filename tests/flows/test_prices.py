"""Every form and precision is made once, in the run's folder, and what cannot be made has its reason."""

import pytest

from lstmbench import disk
from lstmbench.bench import Effort
from lstmbench.errors import LstmbenchError
from lstmbench.export import find
from lstmbench.flows import prices
from lstmbench.flows.prices import Wanted, list_prices
from lstmbench.model import folder
from lstmbench.model.weights import random_weights
from lstmbench.records import Install, ModelConfig, ModelFolder, Workload

pytest.importorskip("onnxruntime")

CONFIG = ModelConfig(head="layer", peephole="full", input_size=16, hidden_size=16)
EFFORT = Effort(processes=1, rounds=1, warmup_s=0.0, budget_s=0.01, twins=False, weigh=False)
WORKLOADS = [Workload(kind="score", batch=1, time=2)]


@pytest.fixture
def model(tmp_path):
    path = tmp_path / "tiny"
    folder.write_config(path, ModelFolder(model=CONFIG))
    folder.write_weights(path, random_weights(CONFIG, seed=4, gain=0.5), folder.WeightsNote(sha256=""))
    return path


def listed(model, tmp_path, **changes):
    asked = {"forms": [], "precisions": ["fp32"], "runtimes": ["onnxruntime-cpu"], "threads": [1, 2]}
    wanted = Wanted(**asked | {"workloads": WORKLOADS} | changes)
    return list_prices(
        [model], wanted, run=tmp_path / "run", effort=EFFORT, held_out=lambda _: None, progress=lambda _: None
    )


def test_forms_and_threads_are_all_there_and_the_models_own_folder_is_left_alone(model, tmp_path):
    done = listed(model, tmp_path, forms=["scan", "loop", "lstm"])
    assert {(c.subject.form, c.subject.threads) for c in done.clearances} == {
        (form, threads) for form in ("scan", "loop") for threads in (1, 2)
    }
    assert all(row.timing for row in done.measured)
    ((name, why),) = done.unmade
    assert name == "tiny/lstm-fp32"
    assert "diagonal peepholes only" in why
    assert find(model) == []


def test_what_each_runtime_takes_on_disk_is_kept_once(model, tmp_path):
    for _ in range(2):
        listed(model, tmp_path, forms=["scan"], threads=[1])
    (kept,) = disk.read_journal(tmp_path / "run" / "installs.jsonl", Install)
    assert kept.runtime == "onnxruntime-cpu"
    assert {"numpy", "onnxruntime"} <= {*kept.packages}
    assert 10e6 < kept.bytes < 1e9


def test_the_same_call_makes_nothing_again(model, tmp_path, monkeypatch):
    first = listed(model, tmp_path, forms=["scan"], threads=[1])
    monkeypatch.setattr(prices, "export", lambda *_, **__: pytest.fail("it is there"))
    assert listed(model, tmp_path, forms=["scan"], threads=[1]).measured == first.measured


def test_other_weights_under_the_name_are_exported_again(model, tmp_path):
    listed(model, tmp_path, forms=["scan"], threads=[1])
    folder.write_weights(model, random_weights(CONFIG, seed=5, gain=0.5), folder.WeightsNote(sha256=""))
    with pytest.raises(LstmbenchError, match="--force"):
        listed(model, tmp_path, forms=["scan"], threads=[1])


def test_where_nothing_can_be_timed_the_reason_is_told(model, tmp_path):
    with pytest.raises(LstmbenchError, match="diagonal peepholes only"):
        listed(model, tmp_path, forms=["lstm"])
    with pytest.raises(LstmbenchError, match="give --time 1"):
        listed(model, tmp_path, forms=["step"])


def test_more_processes_than_memory_holds_are_refused(model, tmp_path, monkeypatch):
    monkeypatch.setattr(prices, "_PROCESS_BYTES", 2**50)
    with pytest.raises(LstmbenchError, match="name fewer with --form"):
        listed(model, tmp_path, forms=["scan"])
