"""A file of `lstmbench export`, wherever it lies now, as the export of a model folder that it is held against.

What it says of itself says how it is to be asked and judged, its form and its precision; that it computes what the
model does is what the check finds out. What its record promises counts where that lies beside it and is of these bytes.
"""

import contextlib
import hashlib
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any, TypeVar

import msgspec
import onnx_ir as ir

from lstmbench import disk
from lstmbench.errors import CheckpointError, RecordError
from lstmbench.model import folder
from lstmbench.model.weights import digest, expected_shapes, most_file_bytes
from lstmbench.onnxfile import external, opening
from lstmbench.records import DataFile, ExportedModel, ExportRecord, ModelConfig

T = TypeVar("T")
_MARK = "lstmbench."


def about(path: Path) -> dict[str, str]:
    """What a file says of itself, by the names that `lstmbench export` gives; empty of a file from elsewhere."""
    _, model = opening.read(path)
    return {n.removeprefix(_MARK): v for n, v in model.metadata_props.items() if n.startswith(_MARK)}


@contextlib.contextmanager
def as_export(path: Path, model: Path) -> Iterator[ExportedModel]:
    """The file in a copy of the model's folder, gone afterwards; RecordError or CheckpointError where it is not its."""
    data, graph = opening.read(path)
    with tempfile.TemporaryDirectory(prefix="lstmbench-") as home:
        to = Path(home) / model.resolve().name
        folder.copy(model, to)
        record = _record(path, data, graph, to)
        disk.write_atomically(to / record.file, data)
        if record.data is not None:
            kept = disk.read_bytes(path.parent / record.data.file, most_bytes=record.data.size_bytes)
            disk.write_atomically(to / record.data.file, kept)
        yield ExportedModel(folder=str(to), record=record)


def _record(path: Path, data: bytes, graph: ir.Model, model: Path) -> ExportRecord:
    told, sha256 = about(path), hashlib.sha256(data).hexdigest()
    config, checkpoint = _config(path, told), folder.read(model)
    if config not in (checkpoint.folder.model, checkpoint.folder.model.layers_only()):
        raise CheckpointError(f"{path} says that it is of another model than {model.name}: it has another cell or size")
    weights = {name: checkpoint.weights[name] for name in expected_shapes(config) if name in checkpoint.weights}
    promised = _beside(path, sha256)
    lengths = told.get("lengths") == "true"
    return _converted(
        path,
        {
            "file": path.name,
            "sha256": sha256,
            "model": msgspec.to_builtins(config),
            "form": told.get("form"),
            "precision": told.get("precision"),
            "lengths": lengths,
            "opset": graph.opset_imports.get("", 1),
            "ir_version": graph.ir_version,
            "weights_sha256": digest(weights),
            "verified": (),
            "verified_with": promised.verified_with if promised else "",
            "quality": msgspec.to_builtins(promised.quality) if promised else None,
            "data": _data(path, graph, most_file_bytes(config)),
        },
        ExportRecord,
    )


def _config(path: Path, told: dict[str, str]) -> ModelConfig:
    return _converted(path, {n: _value(told[n]) for n in ModelConfig.__struct_fields__ if n in told}, ModelConfig)


def _value(word: str) -> Any:
    try:
        return msgspec.json.decode(word)
    except msgspec.DecodeError:  # a word stands for itself
        return word


def _converted(path: Path, found: dict[str, Any], kind: type[T]) -> T:
    try:
        return msgspec.convert(found, kind)
    except msgspec.ValidationError as error:
        raise RecordError(f"{path} says of itself what no export of lstmbench says: {error}") from error


def _beside(path: Path, sha256: str) -> ExportRecord | None:
    with contextlib.suppress(RecordError):
        record = disk.read_record(path.with_suffix(".json"), ExportRecord)
        return record if record.sha256 == sha256 else None
    return None


def _data(path: Path, graph: ir.Model, most_bytes: int) -> DataFile | None:
    """The file with its large tensors."""
    held = [v.const_value for g in graph.graphs() for v in g.initializers.values() if v.const_value is not None]
    found = external.files(path.parent, held)
    for file in found:
        if file.problem:
            raise RecordError(f"{path} keeps tensors in {file.file!r}: {file.problem}")
    if len(found) > 1:
        raise RecordError(f"{path} keeps tensors in {len(found)} files: an export of lstmbench has one")
    for file in found:
        assert file.size_bytes is not None, "a file without one has a problem"
        sha256 = disk.sha256(path.parent / file.file, most_bytes=most_bytes)
        return DataFile(file=file.file, size_bytes=file.size_bytes, sha256=sha256)
    return None
