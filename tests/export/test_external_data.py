"""Large tensors beside the graph: asked for, or over protobuf's limit; loaded from the very bytes that were checked."""

import msgspec
import numpy as np
import onnx
import pytest
from onnx.external_data_helper import uses_external_data

from lstmbench import disk
from lstmbench.errors import ExportError, RecordError
from lstmbench.export import Storage, export, find, serialise
from lstmbench.inspect import inspect
from lstmbench.model import folder
from lstmbench.records import ExportRecord
from lstmbench.runtimes import catalogue, external
from lstmbench.worker import Worker

ort = pytest.importorskip("onnxruntime")

BESIDE = Storage(external_data=True)
SIZES = {"hidden_size": 33, "input_size": 33, "num_layers": 2}


def names(path):
    return sorted(file.name for file in path.iterdir())


@pytest.fixture
def pair(model):
    """An export with external data."""
    return export(model(**SIZES), storage=BESIDE)


@pytest.mark.parametrize(
    ("peephole", "form", "precision"),
    [("full", form, "fp32") for form in ("scan", "loop", "step", "unrolled3")]
    + [("diagonal", "lstm", precision) for precision in ("fp32", "fp16", "int8")]
    + [("full", "scan", precision) for precision in ("fp16", "int8", "int4", "int4a8")],
)
def test_every_form_and_precision_passes_its_proof_with_its_data_beside_it(model, peephole, form, precision):
    path = model(peephole, **SIZES)
    before = names(path)
    exported = export(path, form=form, precision=precision, storage=BESIDE)
    record, stem = exported.record, f"{form}-{precision}"
    assert names(path) == sorted([*before, f"{stem}.onnx", f"{stem}.onnx.data", f"{stem}.json"])
    assert record.data.file == f"{stem}.onnx.data"
    assert record.data.size_bytes == (path / record.data.file).stat().st_size > exported.path.stat().st_size / 4
    assert find(path) == [exported]
    onnx.checker.check_model(exported.path, full_check=True)
    ort.InferenceSession(exported.path, providers=["CPUExecutionProvider"])  # as anybody loads it


def test_only_large_tensors_leave_the_graph_and_each_begins_on_a_page(pair):
    proto = onnx.load(pair.path, load_external_data=False)
    outside = [tensor for tensor in proto.graph.initializer if uses_external_data(tensor)]
    inside = [tensor for tensor in proto.graph.initializer if not uses_external_data(tensor)]
    where = [{entry.key: entry.value for entry in tensor.external_data} for tensor in outside]
    assert {entry["location"] for entry in where} == {"scan-fp32.onnx.data"}
    assert all(int(entry["length"]) > 1024 and int(entry["offset"]) % 4096 == 0 for entry in where)
    assert all(onnx.numpy_helper.to_array(tensor).nbytes <= 1024 for tensor in inside)


def test_the_tensors_are_those_that_onnx_reads(pair):
    proto, data = onnx.load(pair.path), (pair.path.parent / pair.record.data.file).read_bytes()
    ours = external.tensors(pair.path.read_bytes(), data)
    theirs = {tensor.name: onnx.numpy_helper.to_array(tensor) for tensor in proto.graph.initializer}
    assert ours.keys() < theirs.keys()
    for name, array in ours.items():
        np.testing.assert_array_equal(array, theirs[name], strict=True)


def test_a_model_without_large_tensors_stays_one_file(model):
    path = model("none")
    assert export(path, storage=BESIDE).record.data is None
    assert not list(path.glob("*.data"))


def test_over_the_limit_the_data_is_external_without_being_asked_for(model, monkeypatch):
    path = model(**SIZES)
    size = export(path).path.stat().st_size
    monkeypatch.setattr(serialise, "LIMIT_BYTES", size // 2)
    exported = export(path, storage=Storage(force=True))
    assert exported.record.data is not None
    assert find(path) == [exported]
    monkeypatch.setattr(serialise, "LIMIT_BYTES", size)
    assert export(path, storage=Storage(force=True)).record.data is None
    assert not list(path.glob("*.data"))


def test_a_precision_below_the_limit_needs_no_external_data(model, monkeypatch):
    """What is written counts, not what it was made from."""
    path = model(**SIZES)
    monkeypatch.setattr(serialise, "LIMIT_BYTES", export(path, precision="int4").path.stat().st_size)
    assert export(path).record.data is not None
    assert export(path, precision="int4").record.data is None


def test_a_graph_that_is_no_valid_onnx_is_refused_with_its_data(model, monkeypatch):
    build = serialise.build

    def broken(*arguments, **options):
        made = build(*arguments, **options)
        next(iter(made.graph)).op_type = "NoSuchOperator"
        return made

    path = model(**SIZES)
    before = names(path)
    monkeypatch.setattr(serialise, "build", broken)
    with pytest.raises(ExportError, match=r"scan-fp32.onnx would be no valid ONNX: .*NoSuchOperator"):
        export(path, storage=BESIDE)
    assert names(path) == before


# the mistakes that external data invites


def flip(path):
    data = bytearray(path.read_bytes())
    data[100] ^= 1
    path.write_bytes(data)


def test_data_that_was_changed_is_named_and_not_loaded(pair):
    folder = pair.path.parent
    flip(folder / pair.record.data.file)
    with pytest.raises(RecordError, match=r"scan-fp32.onnx.data was changed since it was exported; export again with"):
        find(folder)
    with pytest.raises(RecordError, match=r"scan-fp32.onnx.data: the file was changed since export; export again$"):
        catalogue.load("onnxruntime-cpu")(pair, threads=1)


def test_data_that_is_gone_is_named(pair):
    (pair.path.parent / pair.record.data.file).unlink()
    with pytest.raises(RecordError, match=r"scan-fp32.json describes scan-fp32.onnx.data, which is not there; export"):
        find(pair.path.parent)


def test_a_record_whose_data_lies_elsewhere_is_refused(pair):
    sidecar = pair.path.with_suffix(".json")
    data = msgspec.structs.replace(pair.record.data, file="../elsewhere.data")
    disk.write_record(sidecar, msgspec.structs.replace(pair.record, data=data))
    with pytest.raises(RecordError, match=r"describes another file, '../elsewhere.data'"):
        find(pair.path.parent)


def test_data_that_changes_after_it_was_checked_changes_nothing(pair, failures, monkeypatch):
    """The session computes with the bytes that were checked; one that opened the file again would be wrong here."""
    path, tensors = pair.path.parent / pair.record.data.file, external.tensors

    def overtaken(*arguments):
        path.write_bytes(bytes(path.stat().st_size))
        return tensors(*arguments)

    monkeypatch.setattr(external, "tensors", overtaken)
    loaded = catalogue.load("onnxruntime-cpu")(pair, threads=1)
    weights = folder.read(path.parent).weights
    assert not failures(loaded._session, pair.model, weights, batch=2, time=3)
    assert failures(ort.InferenceSession(pair.path), pair.model, weights, batch=2, time=3)


def test_tensors_at_wrong_places_fail_the_proof(model, monkeypatch):
    """The proof runs in a worker of its own, so the mistake is planted in what is written."""
    unload = serialise.ir.external_data.unload_from_model

    def shifted(made, folder, name, **how):
        unload(made, folder, name, **how)
        data = (folder / name).read_bytes()
        (folder / name).write_bytes(data[4:] + data[:4])

    path = model(**SIZES)
    before = names(path)
    monkeypatch.setattr(serialise.ir.external_data, "unload_from_model", shifted)
    with pytest.raises(ExportError, match="it computes another function than the model"):
        export(path, storage=BESIDE)
    assert names(path) == before


def test_the_graph_names_the_digest_of_its_data_so_its_own_tells_pairs_apart(pair):
    said = inspect(pair.path)
    data = pair.path.parent / "scan-fp32.onnx.data"
    assert said.claims["data_sha256"] == pair.record.data.sha256 == disk.sha256(data, most_bytes=2**20)
    assert [(file.file, file.problem) for file in said.external] == [("scan-fp32.onnx.data", "")]
    assert not said.disagreements


def test_a_record_with_data_can_be_read_again(pair):
    raw = msgspec.json.encode(pair.record)
    assert msgspec.json.decode(raw, type=ExportRecord) == pair.record
    assert list(pair.record.sums) == ["scan-fp32.onnx", "scan-fp32.onnx.data"]


def test_a_worker_runs_it(pair):
    with Worker("onnxruntime-cpu", pair) as worker:
        output, _ = worker.run(np.ones((1, 2), np.int64))
    assert output.shape == (1, 2, 9)
