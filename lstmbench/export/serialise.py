"""A graph as the bytes of a file: described, checked, and the same bytes each time."""

from pathlib import Path

import onnx
import onnx_ir as ir

from lstmbench import disk
from lstmbench.corpus.vocabulary import Vocabulary
from lstmbench.errors import ExportError
from lstmbench.export.graph import build
from lstmbench.export.metadata import describe
from lstmbench.export.precisions import lower
from lstmbench.export.source import Source
from lstmbench.model.folder import VOCABULARY
from lstmbench.model.rounding import untied
from lstmbench.records import Form, Precision

_LIMIT_BYTES = 2**31 - 2**24  # of one protobuf message, with room for all that is no tensor


def serialise(source: Source, form: Form, precision: Precision, folder: Path) -> bytes:
    """Build, describe and check the graph; ExportError if it is too large or no valid ONNX."""
    size_bytes = sum(tensor.nbytes for tensor in source.weights.values())
    if size_bytes > _LIMIT_BYTES:
        raise ExportError(f"the weights take {size_bytes / 2**30:.1f} GiB, an ONNX file at most 2: take fewer units")
    model = build(_as_stored(source, precision), form, look_up=precision != "int8")
    lower(model, precision, source.config)
    model.producer_name = "lstmbench"
    model.metadata_props.update(describe(source, form, precision, _vocabulary(folder)))
    proto = ir.to_proto(model)
    try:
        onnx.checker.check_model(proto, full_check=True)
    except (onnx.checker.ValidationError, onnx.shape_inference.InferenceError) as error:
        raise ExportError(f"the {form} graph is no valid ONNX: {' '.join(str(error).split())}") from error
    data: bytes = proto.SerializeToString(deterministic=True)
    return data


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
