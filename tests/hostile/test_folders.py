"""What a model folder claims is believed only as far as its files bear it out; each test names what came before."""

import json
import os
import shutil

import numpy as np
import onnx
import pytest
from damage import ESCAPES
from msgspec.structs import replace
from onnx import TensorProto
from safetensors.numpy import save_file

from lstmbench import disk
from lstmbench.corpus import Vocabulary, read_vocabulary
from lstmbench.errors import CheckpointError, LstmbenchError, RecordError, WorkerError
from lstmbench.export import find
from lstmbench.model import folder
from lstmbench.records import ExportedModel
from lstmbench.runtimes import external, unchanged
from lstmbench.worker import Worker


@pytest.fixture
def model(base, tmp_path):
    """A model folder that a test may spoil."""
    shutil.copytree(base / "models" / "m", tmp_path / "m")
    return tmp_path / "m"


def change(path, **fields):
    """Change fields of a JSON document; `a__b` is b of a."""
    document = json.loads(path.read_bytes())
    for name, value in fields.items():
        *holders, last = name.split("__")
        held = document
        for holder in holders:
            held = held[holder]
        held[last] = value
    path.write_text(json.dumps(document))


def header_of(path):
    data = path.read_bytes()
    size = int.from_bytes(data[:8], "little")
    return json.loads(data[8 : 8 + size]), data[8 + size :]


def write(path, header, data):
    held = json.dumps(header).encode()
    path.write_bytes(len(held).to_bytes(8, "little") + held + data)


@pytest.mark.parametrize(("dtype", "shape"), [("F8_E4M3", [20]), ("BF16", [10]), ("I32", [5]), ("F32", [1] * 99 + [5])])
def test_a_tensor_of_another_type_or_shape_is_named_before_it_is_made(model, dtype, shape):
    """A type that NumPy lacks was an AttributeError, and a hundred dimensions a ValueError of NumPy's."""
    header, data = header_of(model / folder.WEIGHTS)
    header["decoder.bias"].update(dtype=dtype, shape=shape)
    write(model / folder.WEIGHTS, header, data)
    with pytest.raises(CheckpointError, match=rf"decoder.bias is {dtype} .* says F32 \(5,\)"):
        folder.read(model)


def test_weights_of_a_hundred_gigabytes_are_refused_by_their_size(model):
    """They were mapped, and what the header named was made."""
    os.truncate(model / folder.WEIGHTS, 100 * 2**30)
    with pytest.raises(RecordError, match="such a file"):
        folder.read(model)


def test_a_header_of_very_many_names_is_refused_by_its_size(model):
    """A million names took a gigabyte to read."""
    header, data = header_of(model / folder.WEIGHTS)
    none = {"dtype": "F32", "shape": [0], "data_offsets": [len(data), len(data)]}
    write(model / folder.WEIGHTS, header | {f"x{n}": none for n in range(30_000)}, data)
    with pytest.raises(RecordError, match="such a file"):
        folder.read(model)


def test_a_model_that_memory_cannot_hold_is_refused_before_its_file_is_opened(model):
    change(model / folder.CONFIG, model__hidden_size=2**16, model__num_layers=8)
    with pytest.raises(CheckpointError, match=r"takes [\d,]+ GB of memory, this machine has"):
        folder.read(model)


def test_a_record_of_another_model_is_refused(model):
    """Its sizes were believed: a check of it ended in an error of NumPy's."""
    for claim in ({"model__hidden_size": 60_000}, {"model__num_layers": 3}, {"model__input_size": 7}):
        kept = (model / "lstm-fp32.json").read_bytes()
        change(model / "lstm-fp32.json", **claim)
        with pytest.raises(RecordError, match=r"describes another model than config\.json"):
            find(model)
        (model / "lstm-fp32.json").write_bytes(kept)
    made = find(model)[0]
    other = replace(made.record, model=replace(made.record.model, num_layers=3))
    with pytest.raises(CheckpointError, match="holds another model"):
        unchanged.weights(ExportedModel(folder=made.folder, record=other))


def test_the_file_of_an_export_that_is_vast_is_not_hashed(model):
    os.truncate(model / "scan-fp32.onnx.data", 100 * 2**30)
    with pytest.raises(RecordError, match="such a file"):
        find(model)


def outside(model, where):
    """Make a tensor lie in a file of the folder that the process works in; its record knows nothing of that."""
    path = model / "lstm-fp32.onnx"
    proto = onnx.load(path)
    if where == "node":
        tensor = onnx.numpy_helper.from_array(np.zeros(4, np.float32), "held")
        proto.graph.node.insert(0, onnx.helper.make_node("Constant", [], ["held"], value=tensor))
        tensor = proto.graph.node[0].attribute[0].t
    else:
        tensor = max(proto.graph.initializer, key=lambda tensor: len(tensor.raw_data))
    size = len(tensor.raw_data)
    tensor.ClearField("raw_data")
    tensor.data_location = TensorProto.EXTERNAL
    tensor.external_data.add(key="location", value="near")
    path.write_bytes(proto.SerializeToString())
    change(path.with_suffix(".json"), sha256=disk.sha256(path, most_bytes=2**20))
    return bytes(size)


@pytest.mark.parametrize("where", ["initializer", "node"])
def test_an_engine_never_looks_for_data_by_itself(model, tmp_path, monkeypatch, where):
    """ONNX Runtime takes a graph in memory to lie in the working folder, and reads what it names there."""
    (tmp_path / "near").write_bytes(outside(model, where))
    monkeypatch.chdir(tmp_path)
    made = next(made for made in find(model) if made.record.form == "lstm")
    with pytest.raises(RecordError, match="lie in another file, of which its record knows nothing"):
        Worker("onnxruntime-cpu", made)
    monkeypatch.setattr(external, "demand_none", lambda _: None)  # in this process: the guard taken away
    adapter = pytest.importorskip("lstmbench.runtimes.onnxruntime_cpu").OnnxRuntimeCpu
    adapter(made, threads=1).close()


def test_a_tensor_inside_a_node_has_no_data_of_its_own(model):
    made = next(made for made in find(model) if made.record.data)
    proto = onnx.load(made.path, load_external_data=False)
    held = onnx.TensorProto(name="held", data_type=1, dims=[1], data_location=TensorProto.EXTERNAL)
    body = onnx.helper.make_graph([onnx.helper.make_node("Constant", [], ["v"], value=held)], "b", [], [])
    proto.graph.node.append(onnx.helper.make_node("If", ["c"], [], then_branch=body))
    with pytest.raises(RecordError, match="a tensor inside a node"):
        external.tensors(proto.SerializeToString(), unchanged.external_data(made, made.record.data))


def test_offsets_past_the_end_of_the_data_are_one_line(model):
    made = next(made for made in find(model) if made.record.data)
    with pytest.raises(RecordError, match="does not lie where its file says"):
        external.tensors(unchanged.onnx_bytes(made), b"1234")


def tokenizer(model, parts):
    """Change parts of the tokenizer of byte pairs."""
    path = model.parent / "pairs" / folder.VOCABULARY
    document = json.loads(path.read_bytes())
    document["merges"] = json.dumps(json.loads(document["merges"]) | parts)
    path.write_text(json.dumps(document))
    return path


@pytest.mark.parametrize(
    "parts",
    [
        {"normalizer": {"type": "Precompiled", "precompiled_charsmap": "AAAA"}},
        {"pre_tokenizer": {"type": "Split", "pattern": {"Regex": "(a+)+$"}, "behavior": "Isolated", "invert": False}},
        {"added_tokens": [{"id": 0, "content": "a"}]},
        {"model": {"type": "WordLevel", "vocab": {"a": 0}, "unk_token": "zz"}},
        {"model": {"type": "BPE", "vocab": {"a": 7}, "merges": []}},
        {"model": {"type": "BPE", "vocab": {"a": 0}, "merges": [["a", "b"]]}},
    ],
)
def test_a_tokenizer_of_parts_that_ours_never_have_is_refused_unseen(base, model, parts):
    """One of them ended the process: the library's panic is no Exception."""
    shutil.copytree(base / "models" / "pairs", model.parent / "pairs")
    assert read_vocabulary(model.parent / "pairs" / folder.VOCABULARY).unit == "bpe"
    with pytest.raises(RecordError, match="its tokenizer cannot be read"):
        read_vocabulary(tokenizer(model, parts))


def test_a_tokenizer_that_the_library_reads_otherwise_than_we_is_refused(base, model):
    shutil.copytree(base / "models" / "pairs", model.parent / "pairs")
    path = model.parent / "pairs" / folder.VOCABULARY
    document = json.loads(path.read_bytes())
    document["merges"] = document["merges"].replace('"decoder":', '"decoder":{"type":"ByteLevel"},"decoder":')
    path.write_text(json.dumps(document))  # a field that is there twice is a mistake there, and none here
    with pytest.raises(RecordError, match="its tokenizer cannot be read"):
        read_vocabulary(path)


@pytest.mark.parametrize("tokens", [("<unk>", ""), ("<unk>", "ab"), ("<unk>", ESCAPES)])
def test_a_letter_is_one_character(tokens):
    with pytest.raises(ValueError, match="single characters"):
        Vocabulary(unit="char", tokens=tokens)


def test_what_stands_in_a_models_place_is_copied_by_its_content_alone(base, model, tmp_path):
    """A device in the place of the vocabulary filled the disk while a form was chosen."""
    (model / folder.VOCABULARY).unlink()
    (model / folder.VOCABULARY).symlink_to("/dev/zero")
    with pytest.raises(LstmbenchError, match="leaves its folder"):
        folder.copy(model, tmp_path / "copy")
    folder.copy(base / "models" / "m", tmp_path / "sound")
    assert folder.read(tmp_path / "sound").weights.keys() == folder.read(base / "models" / "m").weights.keys()


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_weights_that_are_no_numbers_are_refused(model, value):
    header, _ = header_of(model / folder.WEIGHTS)
    tensors = {name: tensor.copy() for name, tensor in folder.read(model).weights.items()}
    tensors["decoder.bias"][0] = value
    save_file(tensors, model / folder.WEIGHTS, metadata=header["__metadata__"])
    with pytest.raises(CheckpointError, match=r"decoder\.bias holds NaN or infinity"):
        folder.read(model)


def test_a_graph_that_makes_a_batch_of_none_takes_its_worker_down_and_nothing_else(model):
    """ONNX Runtime aborts its process on B = 0; inputs of that size are never sent, but a graph can cut them."""
    path = model / "lstm-fp32.onnx"
    proto = onnx.load(path)
    (at, node) = next((n, node) for n, node in enumerate(proto.graph.node) if node.op_type == "LSTM")
    zero, one = (onnx.numpy_helper.from_array(np.array([n]), name) for n, name in ((0, "zero"), (1, "one")))
    proto.graph.initializer.extend([zero, one])
    for place in (0, 5, 6):
        cut = onnx.helper.make_node("Slice", [node.input[place], "zero", "zero", "one"], [f"cut{place}"])
        node.input[place] = f"cut{place}"
        proto.graph.node.insert(at, cut)
    path.write_bytes(proto.SerializeToString())
    change(path.with_suffix(".json"), sha256=disk.sha256(path, most_bytes=2**20))
    made = next(made for made in find(model) if made.record.form == "lstm")
    with Worker("onnxruntime-cpu", made) as worker, pytest.raises(WorkerError) as caught:
        worker.run(np.array([[1, 2]]))
    assert str(caught.value).isprintable()
