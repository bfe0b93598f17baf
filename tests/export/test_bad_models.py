"""A model folder that cannot be exported is one line that names what is wrong, and nothing is written."""

import json

import numpy as np
import pytest
from safetensors.numpy import save

from lstmbench import disk
from lstmbench.errors import CheckpointError, LstmbenchError, RecordError
from lstmbench.export import export
from lstmbench.model import folder
from lstmbench.model.weights import digest

pytest.importorskip("onnxruntime")


def refused(path, error, match):
    before = {file.name: file.read_bytes() for file in path.iterdir()}
    with pytest.raises(error, match=match) as caught:
        export(path)
    assert "\n" not in str(caught.value)
    assert isinstance(caught.value, LstmbenchError)
    assert {file.name: file.read_bytes() for file in path.iterdir()} == before


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_weights_that_are_no_numbers(model, value):
    path = model()
    weights = folder.read(path).weights
    weights["lstm.weight_ch_l0"][3, 2] = value
    folder.write_weights(path, weights, folder.WeightsNote(sha256=""))
    refused(path, CheckpointError, r"weights.safetensors: lstm.weight_ch_l0 holds NaN or infinity; train again with a")


def test_an_unknown_cell(model):
    path = model()
    config = json.loads((path / "config.json").read_text())
    config["model"]["peephole"] = "sideways"
    (path / "config.json").write_text(json.dumps(config))
    refused(
        path, RecordError, r"config.json is .*another version: Invalid enum value 'sideways' - at `\$.model.peephole`$"
    )


def test_weights_of_another_cell(model):
    path, other = model("full"), model("diagonal", name="other")
    (path / "weights.safetensors").write_bytes((other / "weights.safetensors").read_bytes())
    refused(path, CheckpointError, r"weights.safetensors: lstm.weight_ch_l0 is F32 \(18,\), config.json says F32")


def test_weights_that_were_changed(model):
    path = model()
    weights = folder.read(path).weights
    note = folder.WeightsNote(sha256=digest(weights))
    weights["lstm.weight_hh_l0"][0, 0] += 1
    header = {"lstmbench": disk.msgspec.json.encode(note).decode()}
    (path / "weights.safetensors").write_bytes(save(weights, metadata=header))
    refused(
        path, CheckpointError, r"weights.safetensors is damaged: its tensors do not match the digest in its header$"
    )
