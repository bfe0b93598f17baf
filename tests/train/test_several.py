"""Two processes train what one does, take over from one another, and a killed one costs nothing that was saved."""

import contextlib
import os
import random
import shutil
import socket
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import psutil
import pytest

torch = pytest.importorskip("torch")

from safetensors.numpy import load_file  # noqa: E402

from lstmbench import corpus, disk  # noqa: E402
from lstmbench.errors import LstmbenchError  # noqa: E402
from lstmbench.model.dropout import Share  # noqa: E402
from lstmbench.records import ModelConfig, ModelFolder, Recipe, TrainConfig  # noqa: E402
from lstmbench.train import JOURNAL, TrainingRow, train  # noqa: E402
from lstmbench.train.batches import batches_of  # noqa: E402

pytestmark = [pytest.mark.torch, pytest.mark.slow]
TEXT = "".join(f"{n} times 3 is {3 * n}.\n" for n in range(2000))
MISTAKES = ("gradients are not averaged", "both on one shard", "both drop what the first does")
ROUNDING = 1e-4  # of weights around 0.3, after 24 steps of an optimizer that divides by what it saw; mistakes: 1e-2
STEPS = 24


def configured(text, *, steps=STEPS, **recipe):
    model = ModelConfig(
        head="lm",
        peephole="full",
        input_size=8,
        hidden_size=12,
        num_layers=2,
        vocabulary_size=text.vocabulary.size,
    )
    training = TrainConfig(batch=8, time=12, steps=steps, validate_every=12, dropout=0.2, threads=1, warmup_steps=4)
    training = TrainConfig(**{name: getattr(training, name) for name in training.__struct_fields__} | recipe)
    return ModelFolder(model=model, training=training, corpus=text.info)


def free_ports(count):
    """Ports below those that the system gives to whoever asks for any, as gloo does for each of its connections."""
    with contextlib.ExitStack() as held:
        return [held.enter_context(_listening()).getsockname()[1] for _ in range(count)]


def _listening():
    while True:
        with contextlib.suppress(OSError):
            return socket.create_server(("127.0.0.1", random.randrange(20_000, 30_000)))


def stopping(step):
    seen = []
    return lambda: (seen.append(None), len(seen) >= step)[1]


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """The folders of one process, and of two: alike, resumed, by line, and with each mistake."""
    root = tmp_path_factory.mktemp("several")
    (root / "table.txt").write_text(TEXT)
    text = corpus.load(str(root / "table.txt"))
    recipe = Recipe(by_line=True, locked=True, weight_drop=0.2, embedding_dropout=0.1, average="ema")
    plain, lined = configured(text), configured(text, recipe=recipe)
    for name, folder in (("plain", plain), ("lined", lined)):
        train(text, folder, root / f"one-{name}")
        disk.write_record(root / f"{name}.json", folder)
    with pytest.raises(KeyboardInterrupt):
        train(text, plain, root / "resumed", stop=stopping(15))
    asked = {"plain": [("two", "none"), ("resumed", "none"), *((m, m) for m in MISTAKES)], "lined": [("lines", "none")]}
    wanted = [(root / f"{config}.json", root / name, m) for config, tasks in asked.items() for name, m in tasks]
    told = [f"{port},{','.join(map(str, task))}" for port, task in zip(free_ports(len(wanted)), wanted, strict=True)]
    command = [sys.executable, Path(__file__).with_name("several.py"), root / "table.txt", *told]
    told_all = os.environ | {"WORLD_SIZE": "2", "OMP_NUM_THREADS": "1"}
    processes = [
        subprocess.Popen(command, env=told_all | {"RANK": str(rank)}, stderr=subprocess.PIPE, text=True)
        for rank in range(2)
    ]
    try:
        for process in processes:
            _, stderr = process.communicate(timeout=700)  # half a minute of work, on machines that may be busy
            assert process.returncode == 0, stderr
    finally:  # one whose other is gone waits for it
        for process in processes:
            process.kill()
    return root


def apart(one, other):
    """The largest difference of a weight."""
    a, b = (load_file(path / "weights.safetensors") for path in (one, other))
    return max(float(np.abs(a[name] - b[name]).max()) for name in a)


@pytest.mark.parametrize("name", ["two", "resumed"])
def test_two_processes_train_the_model_of_one(made, name):
    assert apart(made / "one-plain", made / name) < ROUNDING
    (a, b) = (disk.read_journal(made / one / JOURNAL, TrainingRow) for one in ("one-plain", name))
    assert [row.step for row in a] == [row.step for row in b]
    assert [row.train_nats for row in b] == pytest.approx([row.train_nats for row in a], abs=1e-4)
    assert [row.valid.nats for row in b if row.valid] == pytest.approx(
        [row.valid.nats for row in a if row.valid], abs=1e-4
    )
    assert (made / name / "config.json").read_bytes() == (made / "one-plain/config.json").read_bytes()
    assert not list((made / name).glob(".*"))
    assert "in 2 processes" in (made / name / "README.md").read_text()


def test_lines_and_all_kinds_of_dropout_are_shared_out_too(made):
    assert apart(made / "one-lined", made / "lines") < ROUNDING


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_planted_mistake_is_seen(made, mistake):
    assert apart(made / "one-plain", made / mistake) > 20 * ROUNDING


def test_a_batch_that_cannot_be_shared_is_one_line(tmp_path):
    (tmp_path / "table.txt").write_text(TEXT)
    text = corpus.load(str(tmp_path / "table.txt"))
    with pytest.raises(LstmbenchError, match="--batch 8 cannot be shared by 3 processes"):
        batches_of(text, configured(text).training, Share(0, 3))


def rank_of(process):
    try:
        return process.environ().get("RANK")
    except psutil.Error:
        return None


def test_a_killed_worker_ends_the_run_and_the_checkpoint_is_gone_on_with(tmp_path):
    (tmp_path / "table.txt").write_text(TEXT)
    sizes = ["--hidden", "8", "--embedding", "4", "--batch", "8", "--time", "12", "--threads", "2"]
    options = [*sizes, "--steps", "100000", "--validate-every", "20"]
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node=2", "-m", "lstmbench"]
    command += ["train", "m", "--corpus", "table.txt", *options]
    run = subprocess.Popen(command, cwd=tmp_path, stderr=subprocess.PIPE, text=True)
    resume = tmp_path / "models/m/resume.safetensors"
    deadline = time.monotonic() + 200
    while not resume.exists() and time.monotonic() < deadline and run.poll() is None:
        time.sleep(0.05)
    (second,) = (child for child in psutil.Process(run.pid).children(recursive=True) if rank_of(child) == "1")
    second.kill()
    _, stderr = run.communicate(timeout=600)
    assert run.returncode == 1, stderr
    assert "defect of lstmbench" not in stderr
    assert resume.exists()
    shutil.copytree(tmp_path / "models/m", tmp_path / "kept")
    text = corpus.load(str(tmp_path / "table.txt"))
    folder = disk.read_record(tmp_path / "models/m/config.json", ModelFolder)
    steps = []
    with pytest.raises(KeyboardInterrupt):
        train(text, folder, tmp_path / "models/m", progress=lambda row: steps.append(row.step), stop=stopping(25))
    before = disk.read_journal(tmp_path / "kept" / JOURNAL, TrainingRow)
    assert steps[0] in [row.step + 20 for row in before]
    assert not list((tmp_path / "models/m").glob(".*"))
