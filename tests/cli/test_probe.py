"""`lstmbench probe` from outside: tables, JSON, files, exit statuses."""

import json

import pytest
from typer.testing import CliRunner

from lstmbench import cli
from lstmbench.probe.features import features

pytest.importorskip("onnxruntime")
FEW = [row for row in features() if row.name in {"LSTM", "P", "sequence_lens", "clip of C_t"}]


@pytest.fixture
def few(monkeypatch):
    """Four rows instead of all: a process each."""
    monkeypatch.setattr("lstmbench.probe.verb.features", lambda: FEW)


def run(*arguments):
    return CliRunner().invoke(cli.app, ["probe", *map(str, arguments)], env={"COLUMNS": "100"})


@pytest.mark.usefixtures("few")
def test_the_matrix_is_the_result_and_leaves_with_0(tmp_path):
    done = run("--out", tmp_path / "run")
    assert done.exit_code == 0, done.output
    lines = [" ".join(line.split()) for line in done.stdout.splitlines()]
    assert any(line.startswith("P + ") for line in lines)
    assert "without sequence_lens (6.0e-1)" in " ".join(lines).replace("sequence_lens sequence_lens", "sequence_lens")
    assert "without clip on C_t" in " ".join(lines)
    assert max(map(len, done.stdout.splitlines())) <= 100
    assert lines[-1] == str(tmp_path / "run" / "probe.md").strip()
    assert {path.name for path in (tmp_path / "run").iterdir()} == {"machine.json", "probes.jsonl", "probe.md"}


@pytest.mark.usefixtures("few")
def test_json_is_one_document_with_every_row(tmp_path):
    told = json.loads(run("--out", tmp_path, "--runtime", "onnx-reference", "--json").stdout)
    assert [(row["runtime"], row["feature"], row["finding"]) for row in told] == [
        ("onnx-reference", "LSTM", "right"),
        ("onnx-reference", "P", "right"),
        ("onnx-reference", "sequence_lens", "wrong"),
        ("onnx-reference", "clip of C_t", "wrong"),
    ]
    assert told[2]["resembles"] == "without sequence_lens"


@pytest.mark.usefixtures("few")
def test_a_page_that_is_there_is_drawn_again(tmp_path, monkeypatch):
    drawn = []
    monkeypatch.setattr("lstmbench.report.render", drawn.append)
    assert run("--out", tmp_path, "--runtime", "onnx-reference").exit_code == 0
    assert not drawn
    (tmp_path / "index.html").touch()
    assert run("--out", tmp_path, "--runtime", "onnx-reference").exit_code == 0
    assert drawn == [tmp_path]


def test_a_runtime_that_is_not_here_is_one_line_and_status_2(tmp_path):
    done = run("--out", tmp_path / "run", "--runtime", "tensorrt")
    assert (done.exit_code, done.stdout, len(done.stderr.splitlines())) == (2, "", 1)
    assert "no runtime named 'tensorrt' that runs any graph; here: iree-cpu, mnn-cpu, onnx-reference" in done.stderr
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize("asked", [("--onnx-cases",), ("--runtime", "onnx-reference")])
def test_what_contradicts_itself_is_one_line_and_status_2(tmp_path, asked):
    done = run("--write-vectors", tmp_path / "lstm", *asked)
    assert (done.exit_code, done.stdout, len(done.stderr.splitlines())) == (2, "", 1)
    assert "give one of them" in done.stderr
    assert not list(tmp_path.iterdir())


def test_vectors_are_written_once_and_kept(tmp_path):
    done = run("--write-vectors", tmp_path / "lstm")
    assert done.exit_code == 0, done.output
    assert " ".join(done.stdout.split()).endswith(
        f"{len(features())} cases, test_lstm to test_lstm_int8_matmulinteger_p"
    )
    again = run("--write-vectors", tmp_path / "lstm")
    assert (again.exit_code, again.stdout, len(again.stderr.splitlines())) == (2, "", 1)
    assert "is there already and is kept" in again.stderr


@pytest.mark.slow
def test_what_onnx_misses_is_told_and_written(tmp_path):
    done = run("--onnx-cases", "--out", tmp_path)
    assert done.exit_code == 0, done.output
    assert "Of 70 mistakes the 6 cases find 11" in " ".join(done.stdout.split())
    assert {path.name for path in tmp_path.iterdir()} == {"onnx-cases.json", "onnx-cases.md"}
    assert max(map(len, done.stdout.splitlines())) <= 100
