"""`runtimes --cost`: every process is counted once, what answers wrongly bears no time."""

import json

import numpy as np
import pytest
from typer.testing import CliRunner

from lstmbench import cli, disk, machine
from lstmbench.flows import costs as flow
from lstmbench.flows import installs
from lstmbench.records import ColdStart, Environment, RuntimeCost, RuntimeState
from lstmbench.runtimes.ours import Entry

pytest.importorskip("onnxruntime")


@pytest.fixture
def few(monkeypatch):
    """One process each, of what runs no file, of what runs one, and of one that answers a thousandth too much."""
    names = ("numpy", "onnx-reference", "onnxruntime-cpu")
    states = [RuntimeState(runtime=name, needs="", where="here", version="1") for name in names]
    states.append(RuntimeState(runtime="torch", needs="", where="nowhere", refused="not installed"))
    answers = flow._answers

    def planted(worker, task):
        off = np.float32(1e-3 * (worker.runtime == "onnxruntime-cpu"))
        return {name: value + off for name, value in answers(worker, task).items()}

    monkeypatch.setattr(flow, "survey", lambda _: states)
    monkeypatch.setattr(flow, "PROCESSES", 1)
    monkeypatch.setattr(flow, "_answers", planted)


@pytest.mark.usefixtures("few")
def test_each_bears_its_sizes_and_times_and_a_wrong_answer_none():
    done = CliRunner().invoke(cli.app, ["runtimes", "--cost", "--json"])
    assert done.exit_code == 0, done.output
    numpy, reference, wrong = map(json.loads, done.stdout.splitlines())
    assert wrong["refused"].startswith("its first answer is wrong: y[")
    assert wrong["starts"] == []
    for one, name in ((numpy, "numpy"), (reference, "onnx")):
        assert one["refused"] == ""
        assert name in one["packages"]
        assert one["install_bytes"] > 10e6
        assert one["download_bytes"] is None, "what is here was not fetched by us"
        (start,) = one["starts"]
        assert min(start["load_s"], start["spawn_s"], start["first_call_s"]) > 0
    assert reference["install_bytes"] > numpy["install_bytes"], "it requires NumPy"


def test_the_table_says_why_a_row_is_empty(monkeypatch):
    starts = [ColdStart(spawn_s=9, load_s=load_s, first_call_s=0.25) for load_s in (1.0, 3.0, 1.5)]
    about = {"machine": machine.observe(), "where": "environment", "packages": (), "environment_bytes": 0}
    good = RuntimeCost(
        runtime="abacus", version="1", install_bytes=2_000_000, download_bytes=None, starts=starts, **about
    )
    bad = RuntimeCost(
        runtime="sundial", version="2", install_bytes=None, download_bytes=1, starts=(), refused="night", **about
    )
    monkeypatch.setattr(flow, "costs", lambda _: (good, bad))
    done = CliRunner().invoke(cli.app, ["runtimes", "--cost"], env={"COLUMNS": "120"})
    assert done.exit_code == 0, done.output
    rows = [line.split() for line in done.stdout.splitlines()]
    assert ["abacus", "1", "apart", "2", "n/a", "1.50", "250.0", "1.75", "1.25", "3.25"] in rows
    assert ["sundial", "2", "apart", "n/a", "0", "n/a", "n/a", "n/a", "n/a", "n/a"] in rows
    assert done.stderr == "sundial 2: night\n"


def test_one_command_writes_the_records_and_the_table(monkeypatch, tmp_path):
    about = {"machine": machine.observe(), "where": "here", "packages": (), "environment_bytes": None}
    start = ColdStart(spawn_s=9, load_s=1.0, first_call_s=0.25)
    good = RuntimeCost(
        runtime="abacus", version="1", install_bytes=2_000_000, download_bytes=None, starts=(start,), **about
    )
    bad = RuntimeCost(
        runtime="sun|dial", version="2", install_bytes=None, download_bytes=None, starts=(), refused="night", **about
    )
    monkeypatch.setattr(flow, "costs", lambda _: (good, bad))
    out = tmp_path / "costs"
    done = CliRunner().invoke(cli.app, ["runtimes", "--cost", "--out", str(out)], env={"COLUMNS": "120"})
    assert done.exit_code == 0, done.output
    assert disk.read_journal(out / "costs.jsonl", RuntimeCost) == [good, bad]
    text = (out / "costs.md").read_text()
    assert "| abacus | 1 | here | 2 | n/a | 1.00 | 250.0 | 1.25 | 1.25 | 1.25 |" in text
    assert r"- sun\|dial 2: night" in text
    alone = CliRunner().invoke(cli.app, ["runtimes", "--out", str(out)])
    assert "--out is a folder for what --cost measures" in alone.stderr


def test_of_a_package_of_npm_all_that_came_with_it_counts(monkeypatch, tmp_path):
    for name, size in (("engine", 1000), ("@scope/part", 30)):
        (tmp_path / "node_modules" / name).mkdir(parents=True)
        (tmp_path / "node_modules" / name / "package.json").write_text(
            json.dumps({"name": name, "version": "1"}).ljust(size)
        )
    monkeypatch.setattr(installs.place, "folder", lambda _: tmp_path)
    apart = Environment(wheel="engine", version="1", python="3", packages={}, size_bytes=0)
    brought, size_bytes = installs.brought(Entry("", "engine", wheel="engine", npm=True), apart, {})
    assert brought == {"engine", "@scope/part"}
    assert size_bytes == 1000 + len(json.dumps({"name": "@scope/part", "version": "1"}))
