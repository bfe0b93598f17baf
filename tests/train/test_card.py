"""The model card: it tells what the folder holds, and its command makes the folder again."""

import re
import shlex
import subprocess
import sys

import pytest

torch = pytest.importorskip("torch")

from lstmbench.model import folder as model_folder  # noqa: E402

pytestmark = [pytest.mark.torch, pytest.mark.slow]
OPTIONS = ("--unit", "bpe", "--vocabulary-size", "300", "--peephole", "diagonal", "--layers", "2", "--hidden", "12")
MORE = (
    "--embedding",
    "12",
    "--tie-weights",
    "--batch",
    "4",
    "--time",
    "8",
    "--steps",
    "30",
    "--dropout",
    "0.1",
    "--attention",
)


def run(cwd, *arguments):
    command = [sys.executable, "-m", "lstmbench", *arguments]
    done = subprocess.run(command, cwd=cwd, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stderr


def test_the_command_of_a_card_makes_the_same_model(tmp_path):
    pytest.importorskip("tokenizers")
    text = "".join(f"{n} times 3 is {3 * n}.\n" for n in range(3000))
    (tmp_path / "table.txt").write_text(text)
    run(tmp_path, "train", "small", "--corpus", "table.txt", *OPTIONS, *MORE, "--validate-every", "10")
    made = tmp_path / "models/small"
    card = (made / "README.md").read_text()
    done = model_folder.read(made)
    assert card.startswith("# small\n")
    assert f"| test | {done.note.test.nats:.4f} | {done.note.test.perplexity:.3f} |" in card
    assert done.folder.corpus.sha256 in card
    command = re.search(r"^python -m lstmbench (.*)$", card, re.MULTILINE)[1]
    run(tmp_path, *shlex.split(command), "--models", "again")
    for name in ("config.json", "vocabulary.json", "weights.safetensors", "training.jsonl"):
        assert (made / name).read_bytes() == (tmp_path / "again/small" / name).read_bytes(), name
