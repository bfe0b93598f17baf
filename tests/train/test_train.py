"""Training: it learns, it is exact after a kill, and what it leaves is whole."""

import itertools
import json
import math
import os
import signal
import subprocess
import sys
import time

import msgspec
import numpy as np
import pytest

torch = pytest.importorskip("torch")

from lstmbench import corpus  # noqa: E402
from lstmbench.errors import CheckpointError, CorpusError  # noqa: E402
from lstmbench.model import folder as model_folder  # noqa: E402
from lstmbench.model import reference  # noqa: E402
from lstmbench.records import ModelConfig, ModelFolder, TrainConfig  # noqa: E402
from lstmbench.train import train  # noqa: E402
from lstmbench.train.schedule import FLOOR, learning_rate  # noqa: E402

pytestmark = pytest.mark.torch
TEXT = "".join(f"{n} times 3 is {3 * n}.\n" for n in range(3000))


@pytest.fixture(scope="module")
def text(tmp_path_factory):
    path = tmp_path_factory.mktemp("text") / "table.txt"
    path.write_text(TEXT)
    return corpus.load(str(path))


def configured(text, *, peephole="full", attention=False, **training):
    model = ModelConfig(
        head="lm",
        peephole=peephole,
        attention=attention,
        input_size=8,
        hidden_size=16,
        num_layers=2,
        vocabulary_size=text.vocabulary.size,
        tie_weights=False,
    )
    settings = {"batch": 8, "time": 16, "steps": 60, "warmup_steps": 5, "validate_every": 20, "dropout": 0.1}
    return ModelFolder(model=model, training=TrainConfig(**{**settings, **training}), corpus=text.info)


@pytest.mark.parametrize("peephole", ["full", "diagonal", "none"])
def test_training_beats_guessing_by_frequency(text, tmp_path, peephole):
    done = train(text, configured(text, peephole=peephole, learning_rate=0.02, steps=120), tmp_path / "m")
    counts = np.bincount(text.train.tokens)
    p = counts[counts > 0] / counts.sum()
    assert done.note.test.nats < 0.9 * -(p * np.log(p)).sum()


def test_the_score_is_what_the_reference_gives(text, tmp_path):
    done = train(text, configured(text), tmp_path / "m")
    inputs, targets = corpus.evaluation_rows(text.test.tokens)
    logits, _ = reference.run(done.folder.model, done.weights, inputs)
    log_p = logits - np.logaddexp.reduce(logits, axis=-1, keepdims=True)
    kept = targets >= 0
    nats = -np.take_along_axis(log_p, np.where(kept, targets, 0)[..., None], -1)[..., 0][kept].mean()
    assert done.note.test.nats == pytest.approx(nats, abs=1e-5)  # float32 against float64
    assert done.note.test.bits_per_character == pytest.approx(nats / math.log(2), abs=1e-5)
    assert done.note.test.perplexity == pytest.approx(math.exp(nats), rel=1e-4)


def test_attention_is_trained_and_scored_in_calls_as_long_as_those_of_training(text, tmp_path):
    folder = configured(text, attention=True)
    done = train(text, folder, tmp_path / "m")
    inputs, targets = corpus.evaluation_rows(text.test.tokens)
    log_p, state, steps = [], None, folder.training.time
    for start in range(0, inputs.shape[1], steps):
        logits, state = reference.run(done.folder.model, done.weights, inputs[:, start : start + steps], state)
        log_p.append(logits - np.logaddexp.reduce(logits, axis=-1, keepdims=True))
    kept = targets >= 0
    nats = -np.take_along_axis(np.concatenate(log_p, 1), np.where(kept, targets, 0)[..., None], -1)[..., 0][kept].mean()
    assert done.note.test.nats == pytest.approx(nats, abs=1e-5)  # float32 against float64
    assert "here 16 steps, in training and in these scores" in (tmp_path / "m/README.md").read_text()


class Killed(Exception):  # noqa: N818
    pass


@pytest.mark.parametrize("at", [20, 40])
def test_a_killed_run_ends_as_an_undisturbed_one(text, tmp_path, at):
    folder = configured(text)
    train(text, folder, tmp_path / "undisturbed")

    def kill(row):
        if row.step == at:
            raise Killed

    with pytest.raises(Killed):
        train(text, folder, tmp_path / "killed", progress=kill)
    torch.manual_seed(999)  # what the process did in between must not matter
    train(text, folder, tmp_path / "killed")
    for name in ("training.jsonl", "weights.safetensors", "vocabulary.json", "config.json"):
        assert (tmp_path / "killed" / name).read_bytes() == (tmp_path / "undisturbed" / name).read_bytes(), name
    assert not (tmp_path / "killed" / "resume.safetensors").exists()


WRITES = ("write_atomically", "append_record")


def killing(monkeypatch, n):
    """Let the n-th write to disk raise, as if the process had been killed there; None counts them."""
    from lstmbench import disk

    done = []
    for name in WRITES:
        real = getattr(disk, name)

        def write(*arguments, real=real):
            done.append(real)
            if len(done) == n:
                raise Killed
            real(*arguments)

        monkeypatch.setattr(disk, name, write)
    return done


def test_a_kill_at_any_write_loses_nothing(text, tmp_path, monkeypatch):
    folder = configured(text, steps=40)
    with monkeypatch.context() as patch:
        counted = killing(patch, None)
        train(text, folder, tmp_path / "undisturbed")
        writes = len(counted)
    assert writes >= 10  # config, vocabulary; two validations of three files; card and weights
    for n in range(1, writes + 1):
        path = tmp_path / f"killed-{n}"
        with monkeypatch.context() as patch:
            killing(patch, n)
            with pytest.raises(Killed):
                train(text, folder, path)
        train(text, folder, path)
        assert not (path / "resume.safetensors").exists()
        for name in ("training.jsonl", "weights.safetensors", "vocabulary.json", "config.json"):
            assert (path / name).read_bytes() == (tmp_path / "undisturbed" / name).read_bytes(), (n, name)


def test_a_folder_in_which_another_process_trains_is_left_alone(text, tmp_path):
    from lstmbench import disk
    from lstmbench.errors import DiskError

    (tmp_path / "m").mkdir()
    with disk.locked(tmp_path / "m"), pytest.raises(DiskError, match="another lstmbench writes into"):
        train(text, configured(text), tmp_path / "m")
    train(text, configured(text, steps=5), tmp_path / "free")
    assert not (tmp_path / "free" / ".lock").exists()


def test_a_position_that_outlived_the_end_is_taken_away(text, tmp_path):
    folder = configured(text, steps=5)
    train(text, folder, tmp_path / "m")
    (tmp_path / "m" / "resume.safetensors").write_bytes(b"left by a kill after the last write")
    train(text, folder, tmp_path / "m")
    assert not (tmp_path / "m" / "resume.safetensors").exists()


def test_what_a_kill_left_of_a_first_write_is_swept(text, tmp_path):
    (tmp_path / "m").mkdir()
    (tmp_path / "m" / ".config.json.4242.tmp").write_text("{")
    train(text, configured(text, steps=5), tmp_path / "m")
    assert not list((tmp_path / "m").glob(".*"))


@pytest.mark.parametrize("name", ["learning_rate", "weight_decay", "clip_norm", "peephole_rate", "cell_penalty"])
@pytest.mark.parametrize("value", [math.inf, math.nan])
def test_settings_that_no_file_could_hold_are_refused(name, value):
    with pytest.raises((ValueError, msgspec.ValidationError)):
        TrainConfig(**{name: value})


def test_a_model_that_no_memory_holds_is_one_line_and_nothing_is_written(text, tmp_path):
    small = configured(text)
    huge = msgspec.structs.replace(small, model=msgspec.structs.replace(small.model, hidden_size=2**16))
    with pytest.raises(CheckpointError, match="take a smaller --hidden"):
        train(text, huge, tmp_path / "m")
    assert not (tmp_path / "m").exists()


def test_forgetting_the_carried_state_is_seen_in_the_curve(text, tmp_path, monkeypatch):
    from lstmbench.train import loop

    folder = configured(text)
    train(text, folder, tmp_path / "right")
    real = loop.take_step

    def forgetful(trainer, batch, config, position):
        return real(trainer, batch._replace(fresh=True), config, position)

    monkeypatch.setattr(loop, "take_step", forgetful)
    train(text, folder, tmp_path / "wrong")
    assert (tmp_path / "right/training.jsonl").read_bytes() != (tmp_path / "wrong/training.jsonl").read_bytes()


def heed_ctrl_c():
    signal.signal(signal.SIGINT, signal.SIG_DFL)  # a shell's background job, which these tests may be, ignores it


@pytest.mark.slow
def test_ctrl_c_keeps_the_position_and_exits_with_130(tmp_path):
    (tmp_path / "table.txt").write_text(TEXT)
    command = [sys.executable, "-m", "lstmbench", "train", "m", "--corpus", "table.txt", "--steps", "100000"]
    command += ["--hidden", "8", "--embedding", "4", "--validate-every", "20", "--threads", "1"]
    pipe = subprocess.PIPE
    process = subprocess.Popen(command, cwd=tmp_path, stderr=pipe, text=True, preexec_fn=heed_ctrl_c)  # noqa: PLW1509
    resume = tmp_path / "models/m/resume.safetensors"
    deadline = time.monotonic() + 120
    while not resume.exists() and time.monotonic() < deadline:
        time.sleep(0.05)
    process.send_signal(signal.SIGINT)
    _, stderr = process.communicate(timeout=60)
    assert process.returncode == 130
    assert stderr.strip().splitlines()[-1].startswith("lstmbench: interrupted")
    position = json.loads(
        resume.read_bytes()[8:].split(b'"position":', 1)[1].split(b"}", 1)[0][1:].decode("unicode_escape") + "}"
    )
    assert position["step"] >= 20


def test_the_finished_model_is_returned_and_not_trained_again(text, tmp_path):
    folder = configured(text)
    first = train(text, folder, tmp_path / "m")
    steps = []
    assert train(text, folder, tmp_path / "m", progress=steps.append).note == first.note
    assert not steps


def test_another_models_folder_is_left_alone(text, tmp_path):
    train(text, configured(text), tmp_path / "m")
    before = {path.name: path.read_bytes() for path in (tmp_path / "m").iterdir()}
    with pytest.raises(CheckpointError, match=r"other settings or text \(seed\)"):
        train(text, configured(text, seed=5), tmp_path / "m")
    assert {path.name: path.read_bytes() for path in (tmp_path / "m").iterdir()} == before
    (tmp_path / "letters").mkdir()
    (tmp_path / "letters" / "mine.txt").write_text("dear")
    with pytest.raises(CheckpointError, match="no model"):
        train(text, configured(text), tmp_path / "letters")


@pytest.mark.parametrize("damage", [lambda b: b[: len(b) // 2], lambda _: b"", lambda b: b[:-4] + b"\0\0\0\1"])
def test_damaged_weights_are_one_line(text, tmp_path, damage):
    train(text, configured(text, steps=20), tmp_path / "m")
    weights = tmp_path / "m" / "weights.safetensors"
    weights.write_bytes(damage(weights.read_bytes()))
    with pytest.raises(CheckpointError, match="damaged"):
        model_folder.read(tmp_path / "m")


def test_a_damaged_position_is_one_line(text, tmp_path):
    def kill(_row):
        raise Killed

    with pytest.raises(Killed):
        train(text, configured(text), tmp_path / "m", progress=kill)
    (tmp_path / "m" / "resume.safetensors").write_bytes(b"x" * 100)
    with pytest.raises(CheckpointError, match="delete it to train from the start"):
        train(text, configured(text), tmp_path / "m")


def test_foreign_and_unfinished_folders_are_named(text, tmp_path):
    with pytest.raises(CheckpointError, match="no model folder"):
        model_folder.read(tmp_path)
    model_folder.write_config(tmp_path / "m", configured(text))
    with pytest.raises(CheckpointError, match=r"no weights\.safetensors yet"):
        model_folder.read(tmp_path / "m")


def test_a_text_too_short_for_the_batch_says_so(text, tmp_path):
    with pytest.raises(CorpusError, match="too few for --batch"):
        train(text, configured(text, batch=5000, time=500), tmp_path / "m")
    assert not (tmp_path / "m").exists()


def test_divergence_stops_with_advice(text, tmp_path):
    with pytest.raises(CheckpointError, match="lower --learning-rate"):
        train(text, configured(text, learning_rate=1e30, warmup_steps=0), tmp_path / "m")


def test_the_rate_warms_up_then_falls_to_its_floor():
    config = TrainConfig(steps=100, warmup_steps=10, learning_rate=1.0)
    rates = [learning_rate(step, config) for step in range(100)]
    assert rates[0] == pytest.approx(0.1)
    assert max(rates) == rates[10] == 1.0
    assert rates[-1] == pytest.approx(FLOOR)
    assert all(a >= b for a, b in itertools.pairwise(rates[10:]))


def test_the_cell_state_of_a_full_cell_stays_bounded(text, tmp_path):
    folder = configured(text, learning_rate=0.02, steps=150, dropout=0.0)
    done = train(text, folder, tmp_path / "m")
    wild = train(
        text,
        msgspec.structs.replace(
            folder,
            training=TrainConfig(**{**msgspec.structs.asdict(folder.training), "cell_penalty": 0.0}),
        ),
        tmp_path / "wild",
    )
    tokens = text.train.tokens[:2000][None]
    _, (_, c) = reference.run(done.folder.model, done.weights, tokens)
    _, (_, c_wild) = reference.run(wild.folder.model, wild.weights, tokens)
    assert np.abs(c).max() < 50 < np.abs(c_wild).max()


def test_the_process_of_the_test_has_no_handler_left(text, tmp_path):
    before = signal.getsignal(signal.SIGINT)
    train(text, configured(text, steps=5), tmp_path / "m")
    assert signal.getsignal(signal.SIGINT) is before
    assert os.getpid()
