"""Tokens a second of two processes beside one, training on two cores, and how far apart the models are; never asserted.

    pytest tests/benchmarks/test_processes.py

The default model; one process has two threads, two have one each, and they take turns. Seconds are those on the wall
between steps 20 and 80: other work on the machine counts against both.
"""

import os
import statistics
import subprocess
import sys

import pytest

torch = pytest.importorskip("torch")

from safetensors.numpy import load_file  # noqa: E402

pytestmark = pytest.mark.slow
ROUNDS = 3
TEXT = "".join(f"{n} times 3 is {3 * n}.\n" for n in range(20_000))
TRAINING = """
import sys, time
from pathlib import Path
from lstmbench import corpus
from lstmbench.records import ModelConfig, ModelFolder, TrainConfig
from lstmbench.train import train, writes

text = corpus.load("table.txt")
sizes = {"input_size": 128, "hidden_size": 192, "vocabulary_size": text.vocabulary.size}
model = ModelConfig(head="lm", peephole=sys.argv[1], **sizes)
training = TrainConfig(steps=81, validate_every=1000, threads=2)
at = {}
folder = ModelFolder(model=model, training=training, corpus=text.info)
train(text, folder, Path(sys.argv[2]), progress=lambda row: at.setdefault(row.step, time.perf_counter()))
if writes():
    print((80 - 20) * training.batch * training.time / (at[80] - at[20]))
"""


def tokens_a_second(root, name, peephole, processes):
    several = ["-m", "torch.distributed.run", "--standalone", f"--nproc-per-node={processes}"]
    command = [sys.executable, *several * (processes > 1), "train.py", peephole, name]
    settings = os.environ | {"OMP_NUM_THREADS": "1"}
    done = subprocess.run(command, cwd=root, env=settings, capture_output=True, text=True, check=True)
    return float(done.stdout)


@pytest.mark.parametrize("peephole", ["diagonal", "full"])
def test_two_processes_beside_one(peephole, tmp_path, capsys):
    (tmp_path / "table.txt").write_text(TEXT)
    (tmp_path / "train.py").write_text(TRAINING)
    rounds = [[tokens_a_second(tmp_path, f"{n}-{k}", peephole, n) for n in (1, 2)] for k in range(ROUNDS)]
    one, two = (load_file(tmp_path / f"{n}-0/weights.safetensors") for n in (1, 2))
    apart = max(abs(one[name] - two[name]).max() for name in one)
    fastest, ratios = [max(column) for column in zip(*rounds, strict=True)], [b / a for a, b in rounds]
    with capsys.disabled():
        sys.stdout.write(
            f"\n{peephole}: {fastest[0]:,.0f} tokens a second in one process, {fastest[1]:,.0f} in two; "
            f"ratio {statistics.median(ratios):.2f} ({min(ratios):.2f} - {max(ratios):.2f}); "
            f"weights apart by at most {apart:.1e}\n"
        )
