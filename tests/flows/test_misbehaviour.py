"""Engines that crash, hang, leave, print or spawn, in real processes: a labelled row each, the others' rows stay."""

from pathlib import Path

import pytest

from lstmbench import machine
from lstmbench.bench import Effort, bench, grid
from lstmbench.check import check
from lstmbench.model import folder
from lstmbench.model.weights import digest, random_weights
from lstmbench.records import ExportedModel, ExportRecord, ModelConfig, ModelFolder
from lstmbench.worker import Worker

NAMES = ("Segfaults", "Hangs", "ExitsWell", "PrintsGarbage", "SpawnsThreads")
RUNTIMES = [f"misbehaving:{name}" for name in NAMES]
CALLS = grid(batches=(1,), times=(3,), kinds=("score",))
ONCE = Effort(processes=1, rounds=1, warmup_s=0.01, budget_s=0.02, twins=False, weigh=False)


@pytest.fixture
def exported(tmp_path) -> ExportedModel:
    config = ModelConfig(head="lm", peephole="full", input_size=3, hidden_size=4, vocabulary_size=7)
    weights, path = random_weights(config, seed=3), tmp_path / "tiny"
    folder.write_config(path, ModelFolder(model=config))
    folder.write_weights(path, weights, folder.WeightsNote(sha256=""))
    versions = {"opset": 21, "ir_version": 10, "verified": (), "verified_with": "nothing"}
    sums = {"sha256": digest(weights), "weights_sha256": digest(weights)}
    record = ExportRecord(file="scan-fp32.onnx", model=config, form="scan", precision="fp32", **sums, **versions)
    return ExportedModel(folder=str(path), record=record)


def loaded(*arguments, **named) -> Worker:
    """A worker that waits for its loading, and not long for a call."""
    worker = Worker(*arguments, **named)
    worker.timeout_s = 0.7
    return worker


@pytest.fixture(autouse=True)
def impatient(monkeypatch):
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).parent))
    for place in ("lstmbench.check.examine.Worker", "lstmbench.bench.contender.Worker"):
        monkeypatch.setattr(place, loaded)


def told(reasons):
    """What every engine's row must say."""
    assert "crashed (SIGSEGV)" in reasons["misbehaving:Segfaults"]
    assert "gave no answer within " in reasons["misbehaving:Hangs"]
    assert reasons["misbehaving:ExitsWell"].endswith(": Error: cannot convert LSTM")
    assert "exited (status 0)" in reasons["misbehaving:ExitsWell"]
    assert not reasons["misbehaving:PrintsGarbage"]
    assert not reasons["misbehaving:SpawnsThreads"]


def test_each_is_a_row_of_a_check_that_says_what_it_did(exported, tmp_path, monkeypatch):
    monkeypatch.setenv("MISBEHAVE", "1")
    report = check([exported], RUNTIMES, run=tmp_path / "run", shapes=[(1, 1)], progress=lambda _: None)
    told({clearance.subject.runtime: clearance.refused for clearance in report.clearances})
    assert {row.subject.runtime for row in report.rows} == set(RUNTIMES)


@pytest.mark.slow
def test_each_is_a_row_of_a_benchmark_that_it_passed_the_check_for(exported, tmp_path, monkeypatch):
    run = tmp_path / "run"
    report = check([exported], RUNTIMES, run=run, shapes=[(1, 1)], workloads=CALLS, progress=lambda _: None)
    assert report.passed
    monkeypatch.setenv("MISBEHAVE", "1")
    began = machine.observe().before
    rows = bench(report.clearances, CALLS, run=run, effort=ONCE, began=began, progress=lambda _: None)
    told({row.subject.runtime: row.refused for row in rows})
    assert all((row.timing is None) == bool(row.refused) for row in rows)
