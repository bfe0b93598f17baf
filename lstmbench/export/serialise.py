"""A graph as a file: described, the same bytes each time, large tensors beside it where it must be or is asked for."""

import math
from pathlib import Path

import onnx
import onnx_ir as ir

from lstmbench import disk
from lstmbench.corpus.vocabulary import Vocabulary
from lstmbench.errors import ExportError
from lstmbench.export.files import data_name
from lstmbench.export.graph import build
from lstmbench.export.metadata import describe
from lstmbench.export.opset import IR_VERSIONS, NEWEST
from lstmbench.export.precisions import lower
from lstmbench.export.source import Source
from lstmbench.model.folder import VOCABULARY
from lstmbench.model.rounding import untied
from lstmbench.records import DataFile, Form, Precision

LIMIT_BYTES = 2**31 - 2**24  # of one protobuf message, with room for all that is no tensor
_SMALL_BYTES = 1024  # shapes, axes and biases stay inside, where shape inference reads them
_PAGE_BYTES = 4096  # each tensor begins on a page, so that any engine may map it


def serialise(source: Source, form: Form, precision: Precision, folder: Path, *, opset: int = NEWEST) -> ir.Model:
    """Build the graph of a model folder, and describe it."""
    model = build(_as_stored(source, precision), form, look_up=precision != "int8")
    lower(model, precision, source.config)
    model.opset_imports[""], model.ir_version = opset, IR_VERSIONS[opset]
    model.producer_name = "lstmbench"
    model.metadata_props.update(describe(source, form, precision, _vocabulary(folder)))
    return model


def store(model: ir.Model, path: Path, *, external_data: bool = False) -> DataFile | None:
    """Write and check `path`, and beside it what it cannot hold; ExportError if it is no valid ONNX."""
    tensors = [value.const_value for graph in model.graphs() for value in graph.initializers.values()]
    size_bytes = sum(math.ceil(tensor.nbytes) for tensor in tensors if tensor is not None)
    data = _store_data(model, path) if external_data or size_bytes > LIMIT_BYTES else None
    disk.write_atomically(path, ir.to_proto(model).SerializeToString(deterministic=True))
    try:
        onnx.checker.check_model(path, full_check=True)
    except (onnx.checker.ValidationError, onnx.shape_inference.InferenceError) as error:
        raise ExportError(f"{path.name} would be no valid ONNX: {' '.join(str(error).split())}") from error
    return data


def _store_data(model: ir.Model, path: Path) -> DataFile | None:
    """Move the large tensors out; the graph names the digest of their file, so that it is of one with it."""
    beside = path.with_name(data_name(path.name))
    with disk.writing(beside):
        ir.external_data.unload_from_model(
            model,
            path.parent,
            beside.name,
            size_threshold_bytes=_SMALL_BYTES,
            alignment=_PAGE_BYTES,
            align_threshold=_SMALL_BYTES,
        )
    if not beside.stat().st_size:
        beside.unlink()
        return None
    disk.sync(beside)
    sha256 = disk.sha256(beside, most_bytes=beside.stat().st_size)
    model.metadata_props["lstmbench.data_sha256"] = sha256
    return DataFile(file=beside.name, size_bytes=beside.stat().st_size, sha256=sha256)


def _as_stored(source: Source, precision: Precision) -> Source:
    """Where matrices become integers, the projection and the embedding no longer share theirs."""
    if not precision.startswith("int"):
        return source
    config, weights = untied(source.config, source.weights)
    return source._replace(config=config, weights=weights)


def _vocabulary(folder: Path) -> str | None:
    """The text of `vocabulary.json`, if there is one; RecordError if it is damaged."""
    path = folder / VOCABULARY
    if not path.exists():
        return None
    disk.read_record(path, Vocabulary)
    return disk.read_bytes(path).decode()
