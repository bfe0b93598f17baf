"""What training takes besides: averages equal means, rates fall as told, it stops early, it writes, it goes on."""

import msgspec
import numpy as np
import pytest

torch = pytest.importorskip("torch")

from lstmbench import disk  # noqa: E402
from lstmbench.model.language_model import LanguageModel  # noqa: E402
from lstmbench.records import Recipe, TrainConfig  # noqa: E402
from lstmbench.train import JOURNAL, TrainingRow, train  # noqa: E402
from lstmbench.train.batches import batches_of  # noqa: E402
from lstmbench.train.judgement import is_over, judged, scored_model  # noqa: E402
from lstmbench.train.processes import Processes  # noqa: E402
from lstmbench.train.resume import Position, new_trainer  # noqa: E402
from lstmbench.train.schedule import FLOOR, learning_rate  # noqa: E402
from lstmbench.train.step import take_step  # noqa: E402

pytestmark = pytest.mark.torch
FILES = ("config.json", "vocabulary.json", "weights.safetensors", "training.jsonl", "gradients.jsonl")


@pytest.fixture
def stepped(table, planned):
    """The weights after each of some steps, and those that are scored at the end; averaging begins before step `at`."""

    def stepped(at=0, **recipe):
        folder = planned(**recipe)
        config, alone = folder.training, Processes()
        torch.manual_seed(0)
        trainer = new_trainer(LanguageModel(folder.model), config, alone)
        batches, seen = batches_of(table, config, alone.share), []
        for step in range(6):
            take_step(trainer, batches.at(step), config, Position(step=step, averaging=step >= at))
            seen.append(trainer.model.weights())
        return seen, scored_model(trainer).weights()

    return stepped


def test_the_running_mean_is_the_mean_of_what_was_seen_since_it_began(stepped):
    seen, scored = stepped(at=2, average="nt-asgd")
    for name, found in scored.items():
        assert found == pytest.approx(np.mean([w[name] for w in seen[2:]], axis=0), abs=1e-6)
    late = np.mean([w["decoder.weight"] for w in seen[3:]], axis=0)  # planted: begun a step late
    assert np.abs(scored["decoder.weight"] - late).max() > 1e-4


def test_the_exponential_mean_is_its_formula(stepped):
    seen, scored = stepped(average="ema", average_decay=0.7)
    for name, found in scored.items():
        mean = seen[0][name]
        for weights in seen[1:]:
            mean = 0.7 * mean + 0.3 * weights[name]
        assert found == pytest.approx(mean, abs=1e-6)


def test_without_an_average_the_last_weights_are_scored(stepped):
    seen, scored = stepped()
    assert all((scored[name] == seen[-1][name]).all() for name in scored)


def judged_all(config, *scores):
    position = Position()
    for nats in scores:
        position = judged(position, nats, config)
    return position


def test_averaging_begins_when_validation_was_no_better_for_a_while_and_gets_its_time():
    config = TrainConfig(recipe=Recipe(average="nt-asgd", average_patience=2, patience=3))
    assert not judged_all(config, 3.0, 2.0, 2.5).averaging
    begun = judged_all(config, 3.0, 2.0, 2.5, 2.1)
    assert (begun.averaging, begun.since_best, begun.best_nats) == (True, 0, 2.0)
    assert judged(begun, 1.9, config).averaging
    assert not judged_all(TrainConfig(recipe=Recipe(average_patience=1)), 2.0, 3.0, 3.0).averaging


def test_training_is_over_after_so_many_validations_without_a_better_one(table, planned, tmp_path):
    config = TrainConfig(recipe=Recipe(patience=2))
    assert not is_over(judged_all(config, 2.0, 2.1), config)
    assert is_over(judged_all(config, 2.0, 2.1, 2.0), config)  # as good is no better
    assert not is_over(judged_all(TrainConfig(), *[2.0] * 50), TrainConfig())
    still = {"learning_rate": 1e-30, "warmup_steps": 0, "weight_decay": 0.0, "steps": 40, "patience": 2}
    train(table, planned(**still), tmp_path / "m")
    assert disk.read_journal(tmp_path / "m" / JOURNAL, TrainingRow)[-1].step == 12


@pytest.mark.parametrize("schedule", ["linear", "rsqrt", "constant"])
def test_rates_rise_to_the_peak_and_go_on_as_told(schedule):
    config = TrainConfig(steps=101, warmup_steps=10, learning_rate=2.0, recipe=Recipe(schedule=schedule))
    rates = np.array([learning_rate(step, config) for step in range(101)])
    assert rates[:10] == pytest.approx(0.2 * np.arange(1, 11))
    done = np.arange(10, 101)
    expected = {
        "linear": 2 - (2 - 2 * FLOOR) * (done - 10) / 90,
        "rsqrt": 2 * np.sqrt(10 / (done + 1)),
        "constant": np.full(91, 2.0),
    }
    assert rates[10:] == pytest.approx(expected[schedule])


def test_what_is_written_on_the_way_is_the_models_and_costs_no_draw(table, planned, tmp_path):
    train(table, planned(sample=30, dropout=0.2), tmp_path / "m")
    train(table, planned(dropout=0.2), tmp_path / "silent")
    rows = [row for row in disk.read_journal(tmp_path / "m" / JOURNAL, TrainingRow) if row.valid]
    assert all(table.vocabulary.encode(row.sample).shape == (30,) for row in rows if "<unk>" not in row.sample)
    assert len({row.sample for row in rows}) == len(rows) == 3
    a, b = ((tmp_path / name / "weights.safetensors").read_bytes() for name in ("m", "silent"))
    assert a == b


class Killed(Exception):  # noqa: N818
    pass


@pytest.mark.parametrize(
    "settings",
    [
        {"average": "ema", "locked": True, "dropout": 0.3, "weight_drop": 0.3, "embedding_dropout": 0.2, "sample": 5},
        {"average": "nt-asgd", "average_patience": 1, "learning_rate": 1e-30, "steps": 24, "patience": 3},
        {"by_line": True, "locked": True, "dropout": 0.3, "schedule": "linear"},
    ],
)
def test_a_killed_run_ends_as_an_undisturbed_one(table, planned, tmp_path, settings):
    folder = planned(**settings)
    train(table, folder, tmp_path / "undisturbed")

    def kill(row):
        if row.step == 8:
            raise Killed

    with pytest.raises(Killed):
        train(table, folder, tmp_path / "killed", progress=kill)
    torch.manual_seed(999)  # what the process did in between must not matter
    train(table, folder, tmp_path / "killed")
    for name in FILES:
        assert (tmp_path / "killed" / name).read_bytes() == (tmp_path / "undisturbed" / name).read_bytes(), name


def test_lines_take_locked_dropout_only(planned):
    with pytest.raises(ValueError, match="must be locked"):
        planned(by_line=True, dropout=0.1)


def test_what_differs_in_nothing_is_not_written(planned):
    assert b"recipe" not in msgspec.json.encode(planned())
    assert b'"recipe":{"sample":3}' in msgspec.json.encode(planned(sample=3))


@pytest.mark.filterwarnings("default")  # of TensorBoard's own reader
def test_tensorboard_reads_what_the_journals_hold(table, planned, tmp_path):
    accumulator = pytest.importorskip("tensorboard.backend.event_processing.event_accumulator")
    folder = planned(sample=5)

    def kill(row):
        if row.step == 8:
            raise Killed

    with pytest.raises(Killed):
        train(table, folder, tmp_path / "m", progress=kill, board=True)
    train(table, folder, tmp_path / "m", board=True)
    events = accumulator.EventAccumulator(str(tmp_path / "m/tensorboard"))
    events.Reload()
    rows = [row for row in disk.read_journal(tmp_path / "m" / JOURNAL, TrainingRow) if row.valid]
    shown = [(event.step, event.value) for event in events.Scalars("valid/nats")]
    assert shown == [(row.step, pytest.approx(row.valid.nats)) for row in rows]
    assert "gradient to c of layer 1/8 steps before" in events.Tags()["scalars"]
