"""Names of exported files, and finding those that lie in a model folder."""

import re
from pathlib import Path

from lstmbench import disk
from lstmbench.errors import RecordError
from lstmbench.model.folder import CONFIG
from lstmbench.model.weights import most_file_bytes
from lstmbench.records import ExportedModel, ExportRecord, Form, Head, ModelConfig, ModelFolder, Precision

_NAME = re.compile(r"(layer-)?[a-z]+[0-9]*-[a-z]+[0-9]+[a-z]?[0-9]*(-lengths)?\.json")


def file_name(head: Head, form: Form, precision: Precision, *, lengths: bool = False) -> str:
    """`scan-fp32.onnx`; `layer-scan-fp32.onnx` for head `layer`; `scan-fp32-lengths.onnx` where it takes lengths."""
    return f"{'layer-' if head == 'layer' else ''}{form}-{precision}{'-lengths' if lengths else ''}.onnx"


def data_name(file: str) -> str:
    """What lies beside an exported file and holds its large tensors: `scan-fp32.onnx.data`."""
    return f"{file}.data"


def find(folder: Path) -> list[ExportedModel]:
    """Every export in a model folder, head `lm` first; RecordError where a file is missing, changed or foreign.

    Those that take lengths come last of their head.
    """
    sidecars = (path for path in folder.glob("*.json") if _NAME.fullmatch(path.name))
    found = [_read(folder, path.with_suffix(".onnx").name) for path in sorted(sidecars)]
    return sorted(found, key=_place)


def _place(one: ExportedModel) -> tuple[bool, bool, int, bool]:
    return (one.model.head != "lm", one.record.lengths, one.steps or 0, one.record.precision != "fp32")


def _read(folder: Path, name: str) -> ExportedModel:
    sidecar = (folder / name).with_suffix(".json")
    record = disk.read_record(sidecar, ExportRecord)
    own = file_name(record.model.head, record.form, record.precision, lengths=record.lengths)
    if record.file != name or own != name:
        raise RecordError(f"{sidecar} describes another file, {record.file!r}; delete it and export again")
    if record.data is not None and record.data.file != data_name(name):
        raise RecordError(f"{sidecar} describes another file, {record.data.file!r}; delete it and export again")
    _demand_model(folder, sidecar, record.model)
    for part, sha256 in record.sums.items():
        if not (folder / part).is_file():
            raise RecordError(f"{sidecar} describes {part}, which is not there; export again")
        if disk.sha256(folder / part, most_bytes=most_file_bytes(record.model)) != sha256:
            raise RecordError(f"{folder / part} was changed since it was exported; export again with --force")
    return ExportedModel(folder=str(folder), record=record)


def _demand_model(folder: Path, sidecar: Path, model: ModelConfig) -> None:
    """RecordError where a record tells of another model than the folder's: sizes are believed from here on."""
    whole = disk.read_record(folder / CONFIG, ModelFolder).model
    if model not in (whole, whole.layers_only()):
        raise RecordError(f"{sidecar} describes another model than {CONFIG}; export again with --force")
