"""Names of exported files, and finding those that lie in a model folder."""

import re
from pathlib import Path

from lstmbench import disk
from lstmbench.errors import RecordError
from lstmbench.records import ExportedModel, ExportRecord, Form, Head, Precision

_NAME = re.compile(r"(layer-)?[a-z]+[0-9]*-[a-z]+[0-9]+[a-z]?[0-9]*(-lengths)?\.json")


def file_name(head: Head, form: Form, precision: Precision, *, lengths: bool = False) -> str:
    """`scan-fp32.onnx`; `layer-scan-fp32.onnx` for head `layer`; `scan-fp32-lengths.onnx` where it takes lengths."""
    return f"{'layer-' if head == 'layer' else ''}{form}-{precision}{'-lengths' if lengths else ''}.onnx"


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
    path, sidecar = folder / name, (folder / name).with_suffix(".json")
    record = disk.read_record(sidecar, ExportRecord)
    own = file_name(record.model.head, record.form, record.precision, lengths=record.lengths)
    if record.file != name or own != name:
        raise RecordError(f"{sidecar} describes another file, {record.file!r}; delete it and export again")
    if not path.is_file():
        raise RecordError(f"{sidecar} describes {name}, which is not there; export again")
    if disk.sha256(path) != record.sha256:
        raise RecordError(f"{path} was changed since it was exported; export again")
    return ExportedModel(folder=str(folder), record=record)
