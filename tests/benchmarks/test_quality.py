"""How good a character model gets in so many minutes, with peepholes and as torch.nn.LSTM; never asserted.

    pytest tests/benchmarks/test_quality.py -k test_3_minutes
    pytest tests/benchmarks/test_quality.py -k test_30_minutes

On the first megabyte of `kjv`, of which a tenth is held out, with two threads. A contender takes as many steps as its
minutes hold, at the speed that it shows before, in turns with the others: so each has a whole schedule of the learning
rate, and what is slower gets fewer steps. All else is alike: `lstmbench train`'s own loop, in which nn.LSTM, started
from the same weights, takes the place of the layers. The minutes are those of the steps; validations come on top.
"""

import statistics
import sys
import time

import pytest

torch = pytest.importorskip("torch")

from lstmbench import corpus  # noqa: E402
from lstmbench.cli.presets import read_preset  # noqa: E402
from lstmbench.corpus import sources  # noqa: E402
from lstmbench.model.language_model import LanguageModel  # noqa: E402
from lstmbench.model.weights import parameter_count  # noqa: E402
from lstmbench.records import ModelConfig, ModelFolder, Recipe, TrainConfig  # noqa: E402
from lstmbench.train import loop, train  # noqa: E402

pytestmark = pytest.mark.slow
CHARACTERS = 1_000_000
ROUNDS, STEPS = 5, 60  # of looking at the speed
SIZES = {"nn.LSTM": 200, "diagonal": 200, "full": 158}  # hidden, of two layers: about 0.56 million parameters
# all take the whole time, and write no text; nn.LSTM has no weights that could be dropped
NOT_HELD = {"patience", "sample", "weight_drop"}
SHORT = {"embedding": 64, "layers": 2, "batch": 32, "time": 32, "dropout": 0.1}


class Fused(LanguageModel):
    """The same language model with the layers of PyTorch, from the same start."""

    def __init__(self, config, *dropped):
        super().__init__(config, *dropped)
        fused = torch.nn.LSTM(config.input_size, config.hidden_size, config.num_layers, batch_first=True)
        fused.load_state_dict(self.lstm.state_dict())
        fused.dropout = self.lstm.dropout
        self.lstm = fused


class Contender:
    """A model to be trained by a recipe, as a preset writes it."""

    def __init__(self, name, recipe, hidden, text, root):
        self.name, self.recipe, self.text, self.root = name, recipe, text, root
        self.model = ModelConfig(
            head="lm",
            peephole="none" if name == "nn.LSTM" else name,
            input_size=recipe["embedding"],
            hidden_size=hidden,
            num_layers=recipe["layers"],
            vocabulary_size=text.vocabulary.size,
        )
        self.parameters = parameter_count(self.model)

    def train(self, steps, folder, monkeypatch):
        """Train so many steps; the checkpoint, and steps a second behind the first ones."""
        given = {k: v for k, v in self.recipe.items() if k in TrainConfig.__struct_fields__}
        besides = {k: v for k, v in self.recipe.items() if k in Recipe.__struct_fields__ and k not in NOT_HELD}
        settings = given | {"steps": steps, "validate_every": max(steps // 20, STEPS + 1), "threads": 2}
        recipe = {"recipe": Recipe(**besides)} if besides else {}
        whole = ModelFolder(model=self.model, training=TrainConfig(**settings, **recipe), corpus=self.text.info)
        monkeypatch.setattr(loop, "LanguageModel", Fused if self.name == "nn.LSTM" else LanguageModel)
        at = {}
        found = train(
            self.text,
            whole,
            self.root / f"{self.name}-{folder}",
            progress=lambda row: at.setdefault(row.step, time.perf_counter()),
        )
        return found, (STEPS - 20) / (at[STEPS] - at[20])


def contend(contenders, minutes, monkeypatch):
    """Train each for so long; lines of what came out."""
    speeds = {it: [] for it in contenders}
    for k in range(ROUNDS):
        for it in contenders:
            speeds[it].append(it.train(STEPS + 1, f"speed-{k}", monkeypatch)[1])
    for it in contenders:
        speed = statistics.median(speeds[it])
        steps = int(minutes * 60 * speed)
        note = it.train(steps, "whole", monkeypatch)[0].note
        yield it.name, it.parameters, steps, note.valid.nats, note.test.nats


def megabyte(folder):
    path = folder / "kjv-megabyte.txt"
    path.write_text(sources.read("kjv").whole[:CHARACTERS], encoding="utf-8")
    return corpus.load(str(path))


def show(rows, minutes, capsys):
    base = next(test for name, *_, test in rows if name == "nn.LSTM")
    with capsys.disabled():
        sys.stdout.write(f"\n{minutes} minutes each, two threads: parameters, steps, nats of valid and test part\n")
        for name, parameters, steps, valid, test in rows:
            sys.stdout.write(
                f"  {name:10s} {parameters:9,d} {steps:8,d} {valid:8.4f} {test:8.4f} {test / base - 1:+8.2%}\n"
            )


def test_3_minutes(tmp_path, monkeypatch, capsys):
    text = megabyte(tmp_path)
    contenders = [Contender(name, SHORT, hidden, text, tmp_path) for name, hidden in SIZES.items()]
    show(list(contend(contenders, 3, monkeypatch)), 3, capsys)


def test_30_minutes(tmp_path, monkeypatch, capsys):
    text, recipe = megabyte(tmp_path), read_preset("large")
    contenders = [Contender(name, recipe, recipe["hidden"], text, tmp_path) for name in ("nn.LSTM", "diagonal")]
    show(list(contend(contenders, 30, monkeypatch)), 30, capsys)
