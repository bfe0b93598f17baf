import msgspec
import pytest

from lstmbench import disk
from lstmbench.errors import RecordError
from lstmbench.export import find
from lstmbench.export.files import file_name
from lstmbench.model import folder
from lstmbench.records import ExportRecord, ModelFolder


@pytest.fixture
def place(tmp_path, config):
    """Place an 'export' with its record in a folder."""

    def place(peephole="diagonal", head="lm", form="lstm", *, data=b"no graph"):
        folder.write_config(tmp_path, ModelFolder(model=config(peephole)))
        path = tmp_path / file_name(head, form, "fp32")
        path.write_bytes(data)
        record = ExportRecord(
            file=path.name,
            sha256=disk.sha256(path, most_bytes=2**20),
            model=config(peephole, head),
            form=form,
            precision="fp32",
            opset=21,
            ir_version=10,
            weights_sha256="0" * 64,
            verified=(),
            verified_with="onnxruntime-cpu 1",
        )
        disk.write_record(path.with_suffix(".json"), record)
        return path

    return place


def test_a_folder_without_exports_has_none(tmp_path):
    (tmp_path / "config.json").write_text("{}")
    (tmp_path / "scan-fp32.onnx").write_bytes(b"without a record it is no export of ours")
    assert find(tmp_path) == []


def test_exports_are_found_in_a_fixed_order_language_models_first(place, tmp_path):
    names = [place(head=head, form=form).name for head in ("layer", "lm") for form in ("scan", "lstm")]
    assert sorted(names) == sorted(exported.record.file for exported in find(tmp_path))
    assert [exported.record.file for exported in find(tmp_path)] == [
        "lstm-fp32.onnx",
        "scan-fp32.onnx",
        "layer-lstm-fp32.onnx",
        "layer-scan-fp32.onnx",
    ]
    assert find(tmp_path)[0].path == tmp_path / "lstm-fp32.onnx"


def test_what_takes_any_time_comes_before_what_takes_its_own(place, tmp_path):
    for form in ("unrolled16", "step", "unrolled9", "scan"):
        place(form=form)
    assert [(exported.record.form, exported.steps) for exported in find(tmp_path)] == [
        ("scan", None),
        ("step", 1),
        ("unrolled9", 9),
        ("unrolled16", 16),
    ]


def test_a_file_that_is_gone_is_named(place, tmp_path):
    place().unlink()
    with pytest.raises(
        RecordError, match=r"lstm-fp32.json describes lstm-fp32.onnx, which is not there; export again$"
    ):
        find(tmp_path)


def test_a_file_that_was_changed_is_named(place, tmp_path):
    place().write_bytes(b"another graph")
    with pytest.raises(
        RecordError, match=r"lstm-fp32.onnx was changed since it was exported; export again with --force$"
    ):
        find(tmp_path)


@pytest.mark.parametrize("change", [{"file": "../../weights.onnx"}, {"file": "scan-fp32.onnx"}, {"form": "scan"}])
def test_a_record_of_another_file_is_refused(place, tmp_path, change):
    sidecar = place().with_suffix(".json")
    disk.write_record(sidecar, msgspec.structs.replace(disk.read_record(sidecar, ExportRecord), **change))
    with pytest.raises(RecordError, match=r"lstm-fp32.json describes another file"):
        find(tmp_path)


def test_a_damaged_record_is_named(place, tmp_path):
    place().with_suffix(".json").write_bytes(b'{"schema": "lstmbench.export/1"')
    with pytest.raises(RecordError, match=r"lstm-fp32.json is damaged"):
        find(tmp_path)
