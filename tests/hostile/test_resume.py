"""A training that goes on takes up what it left, or says in one line why it cannot."""

import itertools
import json
import os
import shutil

import pytest
import sound

torch = pytest.importorskip("torch")
pytestmark = pytest.mark.torch

from safetensors import safe_open  # noqa: E402
from safetensors.torch import load_file, save_file  # noqa: E402

from lstmbench import disk  # noqa: E402
from lstmbench.corpus import load  # noqa: E402
from lstmbench.errors import CheckpointError, LstmbenchError, RecordError  # noqa: E402
from lstmbench.model import folder  # noqa: E402
from lstmbench.records import ModelFolder  # noqa: E402
from lstmbench.train import train  # noqa: E402


@pytest.fixture(scope="module")
def stopped(tmp_path_factory):
    root = tmp_path_factory.mktemp("stopped")
    (root / "text.txt").write_text("abc\ncab " * 400)
    sound.half_trained(root)
    return root


@pytest.fixture
def model(stopped, tmp_path):
    shutil.copytree(stopped, tmp_path / "s")
    return tmp_path / "s" / "models" / "t"


def go_on(model):
    planned = disk.read_record(model / folder.CONFIG, ModelFolder)
    return train(load(str(model.parents[1] / "text.txt")), planned, model)


def change(model, position=None, **tensors):
    """Change what the file says of its position, and tensors by the end of their names."""
    path = model / "resume.safetensors"
    held = load_file(path)
    with safe_open(path, "pt") as file:
        header = file.metadata()
    for name, changed in itertools.product(list(held), tensors.items()):
        if name.endswith(changed[0].replace("__", ".")):
            held[name] = changed[1](held[name])
    if position is not None:
        header["position"] = json.dumps(position)
    save_file(held, path, metadata=header)


def test_a_sound_file_is_gone_on_with(model):
    assert go_on(model).note.test is not None


@pytest.mark.parametrize(
    "changes",
    [
        {"position": {"step": 10**30}},
        {"position": {"step": 5}},
        {"position": {"step": -1}},
        {"random": lambda held: held[:7].clone()},
        {"random": lambda held: held.float()},
        {"state__h": lambda held: held[:, :1].clone()},  # stretched over the batch without a word
        {"exp_avg": lambda held: held.sum().reshape(())},
        {"model__lstm__weight_ih_l0": lambda held: held * float("nan")},
        {"model__lstm__weight_ih_l0": lambda held: held.double()},
    ],
)
def test_a_file_that_cannot_be_its_own_is_refused(model, changes):
    change(model, **changes)
    with pytest.raises(CheckpointError, match=r"resume\.safetensors is damaged or of another model"):
        go_on(model)


def test_a_file_of_a_hundred_gigabytes_is_refused_by_its_size(model):
    os.truncate(model / "resume.safetensors", 100 * 2**30)
    with pytest.raises(RecordError, match="such a file has at most"):
        go_on(model)


@pytest.mark.parametrize("file", ["resume.safetensors", "training.jsonl", "config.json"])
def test_what_leads_out_of_the_folder_is_neither_read_nor_written(model, file):
    secret = model.parents[1] / "secret"
    shutil.move(model / file, secret)
    before = secret.read_bytes()
    (model / file).symlink_to(secret)
    with pytest.raises(LstmbenchError, match="leaves its folder"):
        go_on(model)
    assert secret.read_bytes() == before
