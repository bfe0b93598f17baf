"""Presets: files of options that are all known, of which the command line has the last word."""

from pathlib import Path

import msgspec
import pytest
import typer

from lstmbench import disk
from lstmbench.cli import app
from lstmbench.cli.presets import NAMED, read_preset
from lstmbench.records import ModelFolder, Recipe, TrainConfig

MODELS = Path(__file__).parents[2] / "models"


def options(*given):
    command = typer.main.get_command(app).commands["train"]
    return command.make_context("train", ["m", *given]).params


@pytest.mark.parametrize("name", NAMED)
def test_a_named_preset_holds_known_options_of_possible_values(name):
    found, read = options("--preset", name), read_preset(name)
    assert {option: found[option] for option in read} == read
    recipe = {field: found[field] for field in Recipe.__struct_fields__}
    settings = {field: found[field] for field in set(TrainConfig.__struct_fields__) - {"recipe"}}
    msgspec.convert({**settings, "threads": 1, "recipe": recipe}, TrainConfig)


def test_the_command_line_has_the_last_word():
    found = options("--hidden", "7", "--preset", "large", "--no-locked")
    assert (found["hidden"], found["locked"], found["layers"]) == (7, False, 2)


def test_without_a_preset_the_defaults_stand():
    assert options()["hidden"] == 192


def test_the_reference_is_how_the_committed_model_was_trained():
    found, there = options("--preset", "reference"), disk.read_record(MODELS / "kjv-diagonal/config.json", ModelFolder)
    fields = set(TrainConfig.__struct_fields__) - {"recipe"}
    assert {field: found[field] for field in fields} == {field: getattr(there.training, field) for field in fields}
    model = there.model
    sizes = model.peephole, model.input_size, model.hidden_size, model.num_layers
    assert tuple(found[name] for name in ("peephole", "embedding", "hidden", "layers")) == sizes


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("hiden = 5", "'hiden', which is no option"),
        ("models = 'elsewhere'", "'models', which is no option"),
        ("hidden = ", "is no preset"),
        ("hidden = [1]", "is no preset"),
        ("hidden = 'wide'", "valid integer"),
        ("hidden = 0", "greater than or equal to 1"),
        ("\xff", "is no preset"),
    ],
)
def test_a_file_that_cannot_be_one_is_one_line(tmp_path, text, says):
    (tmp_path / "mine.toml").write_bytes(text.encode("latin-1"))
    with pytest.raises(Exception, match=says) as raised:
        options("--preset", str(tmp_path / "mine.toml"))
    assert hasattr(raised.value, "format_message")  # what the command line answers in one line


@pytest.mark.parametrize("name", ["grand", "gone.toml"])
def test_what_is_not_there_is_one_line(name):
    with pytest.raises(Exception, match=name):
        options("--preset", name)
