"""Several models side by side: what a plan holds, the floor, and that a stop loses nothing."""

import math
import signal
import subprocess
import sys
import time

import psutil
import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("altair")

from lstmbench import corpus  # noqa: E402
from lstmbench.corpus.ngram import witten_bell  # noqa: E402
from lstmbench.flows.study import ORDERS, floor, plan  # noqa: E402
from lstmbench.model.weights import of_equal_size, parameter_count  # noqa: E402
from lstmbench.records import ModelConfig, TrainConfig  # noqa: E402

pytestmark = pytest.mark.torch
TEXT = "".join(f"{n} times 3 is {3 * n}.\n" for n in range(3000))


@pytest.fixture(scope="module")
def text(tmp_path_factory):
    path = tmp_path_factory.mktemp("text") / "table.txt"
    path.write_text(TEXT)
    return corpus.load(str(path))


def test_every_cell_and_seed_has_as_many_parameters_as_none(text):
    model = ModelConfig(
        head="lm", peephole="none", input_size=16, hidden_size=64, num_layers=2, vocabulary_size=text.vocabulary.size
    )
    planned = plan(text, model, TrainConfig(), seeds=2)
    assert len({p.name for p in planned}) == 6
    want = parameter_count(model)
    for name, folder in planned:
        # one unit more or less moves a model of 64 units by under 3 %
        assert parameter_count(folder.model) == pytest.approx(want, rel=0.03), name
    assert len({(p.folder.model.peephole, p.folder.training.seed) for p in planned}) == 6


@pytest.mark.parametrize("parameters", [1, 1000, 54_321])
def test_no_other_hidden_size_comes_closer(parameters):
    config = ModelConfig(head="layer", peephole="full", input_size=5, hidden_size=7)
    best = of_equal_size(config, parameters=parameters)
    sizes = range(1, 200)
    counts = [4 * H * (5 + 2 * H) + 8 * H for H in sizes]  # W, U and P, two biases
    assert abs(parameter_count(best) - parameters) == min(abs(count - parameters) for count in counts)


def test_the_floor_is_scored_on_the_tokens_that_models_are_scored_on(text):
    scores = floor(text)
    inputs, targets = corpus.evaluation_rows(text.test.tokens)
    nats = witten_bell(text.train.tokens, inputs, targets, vocabulary_size=text.vocabulary.size, max_order=ORDERS)
    assert [score.nats for score in scores] == pytest.approx(nats)
    assert {score.tokens for score in scores} == {len(text.test.tokens) - 1}
    assert scores[0].bits_per_character == pytest.approx(nats[0] / math.log(2))


def lstmbench(cwd, *arguments):
    command = [sys.executable, "-m", "lstmbench", "study", "--corpus", "table.txt", "--hidden", "12", "--layers", "1"]
    command += ["--embedding", "6", "--seeds", "2", "--jobs", "2", *arguments]
    pipe = subprocess.PIPE
    return subprocess.Popen(command, cwd=cwd, stdout=pipe, stderr=pipe, text=True, preexec_fn=heed_ctrl_c)  # noqa: PLW1509


def heed_ctrl_c():
    signal.signal(signal.SIGINT, signal.SIG_DFL)  # a shell's background job, which these tests may be, ignores it


def finish(process):
    stdout, stderr = process.communicate(timeout=240)
    assert process.returncode == 0, stderr
    return stdout


@pytest.mark.slow
def test_ctrl_c_stops_all_trainings_and_the_same_command_goes_on(tmp_path):
    (tmp_path / "table.txt").write_text(TEXT)
    process = lstmbench(tmp_path, "--steps", "150")
    wait_for(lambda: list(tmp_path.glob("models/*/resume.safetensors")))
    process.send_signal(signal.SIGINT)
    _, stderr = process.communicate(timeout=120)
    assert (process.returncode, len(stderr.splitlines())) == (130, 1), stderr
    assert not (tmp_path / "reports").exists()
    assert "diagonal" in finish(lstmbench(tmp_path, "--steps", "150"))
    assert not list(tmp_path.glob("models/*/resume.safetensors"))
    assert (tmp_path / "reports/quality/study.md").exists()
    # two threads of one process would not have given these bytes: each model has its own
    finish(lstmbench(tmp_path, "--steps", "150", "--models", "again", "--out", "again"))
    for weights in tmp_path.glob("models/*/weights.safetensors"):
        again = tmp_path / "again" / weights.parent.name / weights.name
        assert weights.read_bytes() == again.read_bytes()


@pytest.mark.slow
def test_trainings_do_not_outlive_a_parent_that_was_killed(tmp_path):
    (tmp_path / "table.txt").write_text(TEXT)
    process = lstmbench(tmp_path, "--steps", "100000")
    journals = lambda: sorted(tmp_path.glob("models/*/training.jsonl"))  # noqa: E731
    wait_for(lambda: len(journals()) == 2)
    process.kill()
    process.communicate(timeout=60)
    wait_for(lambda: not list(tmp_path.glob("models/*/.lock")))  # each gives up the folder that it held
    before = [path.read_bytes() for path in journals()]
    time.sleep(1)
    assert [path.read_bytes() for path in journals()] == before
    assert len(list(tmp_path.glob("models/*/resume.safetensors"))) == 2


@pytest.mark.slow
def test_a_training_that_is_killed_is_one_line(tmp_path):
    (tmp_path / "table.txt").write_text(TEXT)
    process = lstmbench(tmp_path, "--steps", "100000")
    wait_for(lambda: list(tmp_path.glob("models/*/training.jsonl")))
    children = [child for child in psutil.Process(process.pid).children() if "spawn_main" in " ".join(child.cmdline())]
    children[0].kill()
    _, stderr = process.communicate(timeout=120)
    assert process.returncode == 2
    assert "a training process was killed" in stderr.splitlines()[-1]


def wait_for(what, timeout_s=120):
    deadline = time.monotonic() + timeout_s
    while not what():
        assert time.monotonic() < deadline, "nothing came of it"
        time.sleep(0.05)


@pytest.mark.slow
def test_a_study_leaves_a_trained_models_folder_of_other_settings_alone(tmp_path):
    (tmp_path / "table.txt").write_text(TEXT)
    finish(lstmbench(tmp_path, "--steps", "10"))
    before = {p: p.read_bytes() for p in tmp_path.glob("models/*/*")}
    process = lstmbench(tmp_path, "--steps", "20")
    _, stderr = process.communicate(timeout=120)
    assert process.returncode == 2
    assert "other settings" in stderr
    assert len(stderr.splitlines()) == 1
    assert {p: p.read_bytes() for p in tmp_path.glob("models/*/*")} == before
