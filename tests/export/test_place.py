"""What stands at the place of an export is kept unless told; a kill at any moment leaves no pair that is none."""

import shutil
from pathlib import Path

import onnx
import pytest

from lstmbench import disk
from lstmbench.errors import DiskError, ExportError, RecordError
from lstmbench.export import Storage, export, find, write
from lstmbench.flows import whole
from lstmbench.model import folder
from lstmbench.model.weights import random_weights

pytest.importorskip("onnxruntime")

SIZES = {"hidden_size": 33, "input_size": 33}
ONE, BESIDE, FORCE = Storage(), Storage(external_data=True), Storage(force=True)


def retrain(path, *, seed=9):
    made = folder.read(path).folder.model
    folder.write_weights(path, random_weights(made, seed=seed), folder.WeightsNote(sha256=""))


def contents(path):
    return {file.name: file.read_bytes() for file in path.iterdir()}


def kept(path, why, storage=ONE):
    """Export must refuse in one line and leave every byte."""
    before = contents(path)
    with pytest.raises(
        ExportError, match=rf"there already and is kept: {why}; 'lstmbench export --force' re"
    ) as caught:
        export(path, storage=storage)
    assert "\n" not in str(caught.value)
    assert contents(path) == before


@pytest.mark.parametrize("storage", [ONE, BESIDE], ids=["one file", "two"])
def test_the_same_again_is_the_same_file(model, storage):
    path = model(**SIZES)
    export(path, storage=storage)
    before = contents(path)
    export(path, storage=storage)
    assert contents(path) == before


def test_an_export_of_other_weights_is_kept_unless_told(model):
    path = model()
    export(path)
    retrain(path)
    kept(path, "it was made from other weights")
    exported = export(path, storage=FORCE)
    assert find(path) == [exported]


def test_an_export_made_otherwise_is_kept_unless_told(model):
    path = model(**SIZES)
    export(path, storage=BESIDE)
    kept(path, r"it was made from these weights in another way \(opset 21, external data\)")
    kept(path, "it was made from these weights .*", Storage(external_data=True, opset=18))
    exported = export(path, storage=FORCE)
    assert find(path) == [exported]


@pytest.mark.parametrize("name", ["scan-fp32.onnx", "scan-fp32.onnx.data"])
def test_a_file_of_another_is_kept_unless_told(model, name):
    path = model(**SIZES)
    (path / name).write_bytes(b"somebody's own")
    kept(path, "it has no record of an export", BESIDE)
    export(path, storage=Storage(external_data=True, force=True))
    assert len(find(path)) == 1


def test_what_is_no_target_is_left_alone(model):
    path = model(**SIZES)
    (path / "scan-fp32.onnx.data").write_bytes(b"somebody's own")
    export(path)
    assert (path / "scan-fp32.onnx.data").read_bytes() == b"somebody's own"


def test_an_export_that_was_changed_is_kept_unless_told(model):
    path = model()
    export(path).path.write_bytes(b"edited")
    kept(path, "it is not what its record describes")


@pytest.mark.parametrize("name", ["scan-fp32.onnx", "scan-fp32.onnx.data"])
def test_a_folder_in_the_way_is_named_even_if_told_to_replace(model, name):
    path = model(**SIZES)
    (path / name).mkdir()
    with pytest.raises(ExportError, match=rf"{name} is a folder; move it away$"):
        export(path, storage=Storage(external_data=True, force=True))
    assert find(path) == []


def test_the_whole_way_replaces_the_export_of_earlier_weights_by_itself(model):
    path = model()
    old = whole._exported(folder.read(path))
    assert whole._exported(folder.read(path)) == old
    retrain(path)
    new = whole._exported(folder.read(path))
    assert new.record.weights_sha256 == folder.read(path).note.sha256 != old.record.weights_sha256
    assert find(path) == [new]


def test_the_whole_way_replaces_nothing_of_another(model):
    path = model()
    (path / "scan-fp32.onnx").write_bytes(b"somebody's own")
    with pytest.raises(ExportError, match="it has no record of an export"):
        whole._exported(folder.read(path))


# a kill at any moment


class Moments:
    """The folder as it was before each change to it."""

    def __init__(self, path, tmp_path, monkeypatch):
        self.path, self.kept = path, []
        self._at = tmp_path / "moments"
        for name in ("replace", "unlink"):
            monkeypatch.setattr(Path, name, self._watched(getattr(Path, name)))

    def _watched(self, change):
        def watched(path, *arguments, **how):
            self.take()
            return change(path, *arguments, **how)

        return watched

    def take(self):
        copy = self._at / str(len(self.kept))
        shutil.copytree(self.path, copy, ignore=shutil.ignore_patterns(".*"))
        self.kept.append(copy)


def is_mix(path):
    """Whether a graph there lies beside data that it would load and that is not its own."""
    graph = path / "scan-fp32.onnx"
    if not graph.exists():
        return False
    proto = onnx.load(graph, load_external_data=False)
    own = {entry.key: entry.value for entry in proto.metadata_props}.get("lstmbench.data_sha256")
    data = path / "scan-fp32.onnx.data"
    return own is not None and data.exists() and disk.sha256(data, most_bytes=2**20) != own


def state(path, old, new):
    try:
        (found,) = find(path)
    except RecordError:
        return "named"
    return {old.sha256: "old", new.sha256: "new"}[found.record.sha256]


def replaced(model, tmp_path, monkeypatch, before, after):
    path = model(**SIZES)
    old = export(path, storage=before).record
    retrain(path)
    with monkeypatch.context() as patch:
        moments = Moments(path, tmp_path, patch)
        new = export(path, storage=after._replace(force=True)).record
        moments.take()
    return old, new, moments.kept


@pytest.mark.parametrize(
    ("before", "after"), [(BESIDE, BESIDE), (ONE, BESIDE), (BESIDE, ONE)], ids=["both", "to two", "to one"]
)
def test_a_kill_leaves_the_old_pair_the_new_one_or_what_find_names(model, tmp_path, monkeypatch, before, after):
    old, new, moments = replaced(model, tmp_path, monkeypatch, before, after)
    for moment in moments:
        assert not is_mix(moment)
    seen = [state(moment, old, new) for moment in moments]
    assert list(dict.fromkeys(seen)) == ["old", "named", "new"]
    for moment in moments:  # what was killed can be done again
        assert export(moment, storage=after._replace(force=True)).record == new


def test_putting_the_data_under_the_older_graph_would_be_seen(model, tmp_path, monkeypatch):
    def careless(aside, where, record):
        for name in reversed(record.sums):
            (aside / name).replace(where / name)
        disk.write_record((where / record.file).with_suffix(".json"), record)

    monkeypatch.setattr(write, "put", careless)
    *_, moments = replaced(model, tmp_path, monkeypatch, BESIDE, BESIDE)
    assert any(is_mix(moment) for moment in moments)


MOVES = [(BESIDE, 4), (ONE, 3), (None, 2)]  # the older files out of the way, the new ones in


@pytest.mark.parametrize(("before", "fails"), [(before, n) for before, moves in MOVES for n in range(1, moves + 1)])
def test_an_error_between_the_two_puts_the_older_files_back(model, monkeypatch, before, fails):
    path = model(**SIZES)
    if before is not None:
        export(path, storage=before)
    retrain(path)
    was, replace, calls = contents(path), Path.replace, []

    def failing(source, target):
        if source.name.startswith(("scan-", "older-")) and not calls.count("failed"):
            calls.append("moved")
            if len(calls) == fails:
                calls.append("failed")
                raise OSError(5, "Input/output error")
        return replace(source, target)

    monkeypatch.setattr(Path, "replace", failing)
    with pytest.raises(DiskError, match="Input/output error"):
        export(path, storage=Storage(external_data=True, force=True))
    assert contents(path) == was


@pytest.mark.parametrize("before", [ONE, BESIDE])
def test_a_record_that_cannot_be_written_leaves_the_older_files(model, monkeypatch, before):
    path = model(**SIZES)
    export(path, storage=before)
    retrain(path)
    was = contents(path)

    def full(_path, _record):
        raise DiskError("No space left on device")

    monkeypatch.setattr(disk, "write_record", full)
    with pytest.raises(DiskError, match="No space left"):
        export(path, storage=BESIDE._replace(force=True))
    assert contents(path) == was


def test_a_foreign_file_of_the_records_name_is_kept_unless_told(model):
    path = model(**SIZES)
    (path / "scan-fp32.json").write_text('{"mine": 1}')
    with pytest.raises(ExportError, match=r"scan-fp32.json is there already and is kept: it is no record of an export"):
        export(path)
    assert (path / "scan-fp32.json").read_text() == '{"mine": 1}'
    assert not (path / "scan-fp32.onnx").exists()
    export(path, storage=ONE._replace(force=True))
    assert len(find(path)) == 1


def test_data_of_nobody_beside_a_graph_that_needs_none_is_left_alone(model):
    path = model(**SIZES)
    (path / "scan-fp32.onnx.data").write_bytes(b"somebody's own")
    export(path)
    assert (path / "scan-fp32.onnx.data").read_bytes() == b"somebody's own"
