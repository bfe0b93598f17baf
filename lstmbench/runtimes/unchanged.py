"""Proof that a runtime holds what was exported, and not what the folder holds since."""

import hashlib
from pathlib import Path

from lstmbench import disk
from lstmbench.arrays import Weights
from lstmbench.errors import CheckpointError, RecordError
from lstmbench.model import folder
from lstmbench.model.weights import digest, expected_shapes, most_file_bytes
from lstmbench.records import DataFile, ExportedModel


def weights(exported: ExportedModel) -> Weights:
    """The checkpoint's tensors that the export was made from; CheckpointError if it was trained again since."""
    checkpoint = folder.read(Path(exported.folder))
    whole, tensors = checkpoint.folder.model, checkpoint.weights
    if exported.model not in (whole, whole.layers_only()):
        raise CheckpointError(
            f"{exported.folder} holds another model than {exported.record.file} was made from; export again"
        )
    held = {name: tensors[name] for name in expected_shapes(exported.model) if name in tensors}
    if digest(held) != exported.record.weights_sha256:
        raise CheckpointError(
            f"{exported.folder} was trained again since {exported.record.file} was exported; export again"
        )
    return held


def onnx_bytes(exported: ExportedModel) -> bytes:
    """The ONNX file; RecordError if it is not the one that was exported."""
    return _read(exported, exported.record.file, exported.record.sha256)


def external_data(exported: ExportedModel, data: DataFile) -> bytes:
    """The file with its large tensors; RecordError if it is not the one that was exported."""
    return _read(exported, data.file, data.sha256)


def whole_file(exported: ExportedModel) -> bytes:
    """The ONNX file, for engines that are handed one alone; RecordError where tensors lie in another."""
    graph = onnx_bytes(exported)
    if exported.record.data is not None:
        raise RecordError(f"{exported.path} keeps tensors beside itself: export it without --external-data")
    if b"location" in graph:  # what every tensor that lies in another file is said with
        from lstmbench.runtimes import external

        external.demand_none(graph)
    return graph


def _read(exported: ExportedModel, name: str, sha256: str) -> bytes:
    path = Path(exported.folder) / name
    data = disk.read_bytes(path, most_bytes=most_file_bytes(exported.model))
    if hashlib.sha256(data).hexdigest() != sha256:
        raise RecordError(f"{path}: the file was changed since export; export again")
    return data
