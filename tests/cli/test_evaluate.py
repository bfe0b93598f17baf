"""`eval` from the command line: a text that is named, and what cannot be scored."""

import subprocess
import sys

import pytest

from lstmbench import disk
from lstmbench.corpus import Vocabulary, held_out, read_vocabulary
from lstmbench.export import export, quality
from lstmbench.flows.made import made
from lstmbench.model import folder
from lstmbench.model.weights import random_weights
from lstmbench.records import Evaluation, Layers, ModelConfig, ModelFolder

pytest.importorskip("onnxruntime")


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    home = tmp_path_factory.mktemp("home")
    vocabulary = Vocabulary(unit="char", tokens=("<unk>", "a", "b", "c"))
    model = ModelConfig(head="lm", peephole="none", input_size=2, hidden_size=3, vocabulary_size=4)
    folder.write_config(home / "models/m", ModelFolder(model=model))
    folder.write_weights(home / "models/m", random_weights(model, seed=0), folder.WeightsNote(sha256=""))
    disk.write_record(home / "models/m" / folder.VOCABULARY, vocabulary)
    export(home / "models/m")
    made(Layers(peephole=("none",), hidden_size=2), home / "models", progress=lambda _line: None)
    (home / "known.txt").write_text("abc cab ".replace(" ", "") * 50)
    (home / "unknown.txt").write_text("abcd" * 50)
    return home


def evaluate(cwd, *arguments):
    command = [sys.executable, "-m", "lstmbench", "eval", *arguments]
    return subprocess.run(command, cwd=cwd, capture_output=True, text=True, timeout=120, check=False)


def test_all_of_a_text_is_scored_and_layers_are_left_out(home):
    done = evaluate(home, "--text", "known.txt", "--runtime", "onnxruntime-cpu")
    assert done.returncode == 0, done.stderr
    assert done.stderr == "models/none-2x2 is left out: bare layers predict no text\n"
    assert " 299 " in done.stdout
    assert "n/a" not in done.stdout


def test_a_file_is_read_a_piece_at_a_time_and_its_score_kept(home):
    done = evaluate(home, "--text", "known.txt", "--runtime", "numpy", "--out", "kept")
    assert done.returncode == 0, done.stderr
    (row,) = disk.read_journal(home / "kept/evaluations.jsonl", Evaluation)
    assert (row.text, row.score.tokens) == ("known.txt", 299)
    split = held_out(str(home / "known.txt"), read_vocabulary(home / "models/m" / folder.VOCABULARY), whole=True)
    assert row.text_sha256 == quality.digest(split.tokens)


def test_a_text_with_unknown_letters_has_no_bits_a_character(home):
    done = evaluate(home, "m", "--text", "unknown.txt", "--runtime", "onnxruntime-cpu")
    assert done.returncode == 0, done.stderr
    assert "n/a" in done.stdout


@pytest.mark.parametrize(
    ("arguments", "says"), [((), "models/m names no text: give one with --text"), (("--text", "gone.txt"), "gone.txt")]
)
def test_no_text_is_one_line(home, arguments, says):
    done = evaluate(home, "m", *arguments)
    assert (done.returncode, len(done.stderr.splitlines())) == (2, 1), done.stderr
    assert says in done.stderr


def test_where_nothing_can_be_scored_that_is_one_line(home):
    layers = next((home / "models").glob("none-*")).name
    done = evaluate(home, layers, "--runtime", "onnxruntime-cpu")
    assert done.returncode == 2
    assert "nothing to score: bare layers predict no text" in done.stderr
