"""`lstmbench check FILE.onnx` from outside: the table, the lines, the exit statuses."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from lstmbench import cli

MODELS = Path(__file__).parents[2] / "models"
ASKED = ("in pieces", "a step a call", "single steps", "rows reordered")
DIAGONAL = MODELS / "kjv-diagonal/lstm-fp32.onnx"


def run(*arguments, columns=100):
    known = ["check", *map(str, arguments), "--models", str(MODELS)]
    return CliRunner().invoke(cli.app, known, env={"COLUMNS": str(columns)})


@pytest.fixture
def small(tmp_path, foreign_graphs):
    path = tmp_path / "small.onnx"
    path.write_bytes(foreign_graphs.lstm_file(foreign_graphs.Sizes()).SerializeToString())
    return path


def test_a_file_is_checked_on_every_runtime_that_runs_graphs(small, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    done = run(small)
    assert done.exit_code == 0, done.output
    assert f"{small}\nagainst a float64 evaluation of its own graph, the worst of all sizes\n" in done.stdout
    lines = [line.split() for line in done.stdout.splitlines()]
    assert [line[0] for line in lines if line and line[0].startswith("onnx")] == ["onnx-reference", "onnxruntime-cpu"]
    rows = [line for line in lines if line and line[-1] == "ok"]
    asked = [["y"], ["hn"], ["cn"], *(words.split() for words in ASKED)]
    told = [[*words, "built", "in", "n/a"] for words in asked] + [[*words, "CPU", "float32"] for words in asked]
    assert [row[:-4] for row in rows] == told
    assert "not asked  behind the ends: it takes no lengths" in done.stdout
    assert not (tmp_path / "reports").exists(), "it leaves nothing on disk"


@pytest.fixture
def on_two_providers(monkeypatch):
    """A runtime that promises CUDA and runs the LSTM on the CPU."""
    here = str(Path(__file__).parents[1] / "check/foreign")
    monkeypatch.syspath_prepend(here)
    monkeypatch.setenv("PYTHONPATH", here)
    return "planted_graphs:ClaimsCuda"


def test_what_ran_elsewhere_leaves_with_1_and_allowed_it_bears_the_label(small, on_two_providers):
    done = run(small, "--runtime", on_two_providers)
    assert done.exit_code == 1
    assert "nodes that compute ran on CPUExecutionProvider, not on CUDAExecutionProvider alone" in done.stderr
    assert "FAILED" in done.stdout
    done = run(small, "--runtime", on_two_providers, "--allow-mixed")
    assert done.exit_code == 0
    assert "(MIXED: also CPU)" in done.stdout


def test_all_rows_are_one_document(small):
    done = run(small, "--runtime", "onnxruntime-cpu", "--json")
    found = json.loads(done.stdout)
    assert found["schema"] == "lstmbench.foreign/1"
    assert {row["output"] for row in found["rows"]} == {"y", "hn", "cn"}
    assert {row["asked"] for row in found["rows"]} == {"", *ASKED}
    (engine,) = {json.dumps(row["engine"]) for row in found["rows"]}
    assert json.loads(engine)["placement"][0]["provider"] == "CPUExecutionProvider"
    assert set(found["not_asked"]) == {"behind the ends", "zeros for none"}


def test_long_names_go_on_behind_a_separator_and_nothing_is_broken_within(tmp_path, foreign_graphs):
    model = foreign_graphs.lstm_file(foreign_graphs.Sizes())
    name = "StatefulPartitionedCall/sequential/bidirectional_peephole_lstm/transpose_1:0"
    for node in model.graph.node:
        node.output[:] = [name if output == "y" else output for output in node.output]
    model.graph.output[0].name = name
    path = tmp_path / "tf.onnx"
    path.write_bytes(model.SerializeToString())
    done = run(path, "--runtime", "onnxruntime-cpu", columns=80)
    assert done.exit_code == 0, done.output
    lines = [line.rstrip() for line in done.stdout.splitlines()[1:]]
    assert max(map(len, lines)) <= 80
    words = {line.split()[0] for line in lines if line}
    assert {"StatefulPartitionedCall/", "transpose_1:0"} & words
    assert all(part in name for part in words if "/" in part or "peephole" in part)


def test_one_runtime_may_be_asked_for(small):
    done = run(small, "--runtime", "onnxruntime-cpu")
    assert "onnx-reference" not in done.stdout
    assert "onnxruntime-cpu" in done.stdout


def test_a_file_that_ignores_lengths_leaves_with_1_and_one_line_a_runtime(tmp_path, foreign_graphs):
    path = tmp_path / "lengths.onnx"
    path.write_bytes(foreign_graphs.lstm_file(foreign_graphs.Sizes(lengths=True)).SerializeToString())
    done = run(path)
    assert done.exit_code == 1
    (line,) = done.stderr.splitlines()
    assert line.startswith(f"{path} on onnx-reference: at x (3, 2, 6), h0 (1, 3, 8), c0 (1, 3, 8), lens (3,): ")
    assert "the reference says" in line
    assert "FAILED" in done.stdout
    assert "ok" in done.stdout, "on the other runtime"


@pytest.mark.slow
def test_a_file_of_this_repository_is_held_to_its_checkpoint_by_name():
    done = run(DIAGONAL, "--against", "kjv-diagonal", "--runtime", "onnxruntime-cpu")
    assert done.exit_code == 0, done.output
    assert f"against {MODELS / 'kjv-diagonal'} in float64, the worst of all sizes" in done.stdout


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["none.onnx"], "no file none.onnx"),
        (["a.onnx", "b.onnx"], "one is checked at a time"),
        (["kjv-full", "--against", "a.onnx"], "--against is for one ONNX file"),
        (["--against", "a.onnx"], "--against is for one ONNX file"),
        ([DIAGONAL, "--against", "nothing"], "no model 'nothing'"),
        ([DIAGONAL, "--out", "here"], "--out is for model folders"),
        ([DIAGONAL, "--runtime", "nowhere:Nope"], "'nowhere:Nope' (nowhere:Nope) cannot be imported"),
        (["kjv-diagonal", "--json", "--drift"], "--json gives what the cases found"),
        ([DIAGONAL, "--runtime", "torch"], "no runtime named 'torch' that runs any graph; here: onnx-reference"),
        (
            [MODELS / "kjv-full/scan-int8.onnx"],
            "rounds to integers: only files in float32 can be judged",
        ),
        ([DIAGONAL, "--against", "kjv-full"], "cannot be matched: expected are the inputs"),
    ],
)
def test_what_a_user_can_mend_is_one_line_and_2(arguments, words):
    done = run(*arguments)
    assert done.exit_code == 2, done.output
    (line,) = done.stderr.splitlines()
    assert words in line
    assert not done.stdout
