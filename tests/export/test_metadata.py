import json

import msgspec
import onnx
import pytest

from lstmbench.errors import RecordError
from lstmbench.export import source as sources
from lstmbench.export.serialise import serialise, store
from lstmbench.model import folder
from lstmbench.model.weights import digest
from lstmbench.records import ModelConfig


def metadata(path, head, form="scan"):
    checkpoint = folder.read(path)
    source = sources.of_head(head, checkpoint.folder.model, checkpoint.weights)
    store(serialise(source, form, "fp32", path), path / "graph.onnx")
    return {entry.key: entry.value for entry in onnx.load(path / "graph.onnx").metadata_props}, source


@pytest.mark.parametrize("attention", [False, True])
@pytest.mark.parametrize("head", ["lm", "layer"])
def test_the_configuration_can_be_read_back_from_the_file_alone(model, head, attention):
    about, source = metadata(model(num_layers=2, bias=False, attention=attention), head)
    names = set(ModelConfig.__struct_fields__) - ({"attention"} if not source.config.attention else set())
    fields = {name: about[f"lstmbench.{name}"] for name in names}
    assert msgspec.convert(fields, ModelConfig, strict=False) == source.config


def test_the_file_names_its_form_its_maker_and_the_weights_it_holds(model):
    about, source = metadata(model(), "lm")
    assert about["lstmbench.form"] == "scan"
    assert about["lstmbench.precision"] == "fp32"
    assert about["lstmbench.producer"].startswith("lstmbench ")
    assert about["lstmbench.weights_sha256"] == digest(source.weights) == folder.read(model()).note.sha256


def test_head_layer_answers_for_the_recurrent_tensors_only(model):
    about, source = metadata(model(), "layer")
    recurrent = {name: w for name, w in folder.read(model()).weights.items() if name.startswith("lstm.")}
    assert about["lstmbench.weights_sha256"] == digest(recurrent)
    assert source.weights.keys() == recurrent.keys()


def test_a_language_model_carries_its_vocabulary_and_its_layers_alone_do_not(model):
    about, _ = metadata(model(), "lm")
    assert json.loads(about["lstmbench.vocabulary"])["tokens"][-1] == "ü"
    assert "lstmbench.vocabulary" not in metadata(model(), "layer")[0]


def test_a_folder_without_a_vocabulary_still_exports(model):
    path = model()
    (path / folder.VOCABULARY).unlink()
    assert "lstmbench.vocabulary" not in metadata(path, "lm")[0]


@pytest.mark.parametrize("data", [b"\xff\xfe", b'{"unit": "char"}'])
def test_a_damaged_vocabulary_is_not_embedded(model, data):
    path = model()
    (path / folder.VOCABULARY).write_bytes(data)
    with pytest.raises(RecordError, match=r"vocabulary.json is damaged"):
        metadata(path, "lm")
