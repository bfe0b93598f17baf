"""A path to a model: nothing but the file itself is read, and what is no ONNX is told in one line."""

import contextlib
import itertools
import logging
import warnings
from collections.abc import Iterator
from pathlib import Path

import onnx
import onnx_ir as ir
from google.protobuf.message import DecodeError

from lstmbench import disk
from lstmbench.errors import RecordError

LIMIT_BYTES = 2**31  # of one protobuf message
_MOST_PARTS = 2**18  # ten thousand unrolled steps of two layers have fewer; each takes some 2 KB and 30 µs


def read(path: Path) -> tuple[bytes, ir.Model]:
    """The bytes and the graph; RecordError if there is no file, or none that holds an ONNX model."""
    _demand_file(path)
    data = disk.read_bytes(path, most_bytes=LIMIT_BYTES, named=True)
    if not data:
        raise RecordError(f"{path} is empty; copy or export it again")
    return data, _model(path, data)


def demand_valid(path: Path, data: bytes) -> None:
    """RecordError, with what the standard says of it, if a file that could be parsed is no valid ONNX."""
    try:
        onnx.checker.check_model(data)
    except (onnx.checker.ValidationError, ValueError) as error:
        raise RecordError(f"{path} is no valid ONNX: {_reason(error)}") from error


def _demand_file(path: Path) -> None:
    if path.is_dir():
        found = sorted(file.name for file in path.glob("*.onnx"))
        holds = f"one of {', '.join(found)}" if found else "it holds no .onnx file"
        raise RecordError(f"{path} is a folder: name the file ({holds})")
    if not path.exists():
        raise RecordError(f"no file {path}")
    if not path.is_file():
        raise RecordError(f"{path} is no ordinary file")
    if path.stat().st_size > LIMIT_BYTES:
        raise RecordError(
            f"{path} is no ONNX: it is larger than 2 GiB, which no ONNX file can be without external data"
        )


def _model(path: Path, data: bytes) -> ir.Model:
    proto = onnx.ModelProto()
    try:
        proto.ParseFromString(data)
    except DecodeError as error:
        raise RecordError(f"{path} is no ONNX, or was cut off: it cannot be parsed; copy or export it again") from error
    # protobuf takes many a byte string for a message of unknown fields
    if not proto.HasField("graph") or not (proto.graph.node or proto.graph.output) or not proto.opset_import:
        raise RecordError(f"{path} is no ONNX model: it holds no graph")
    if (count := _count(proto)) > _MOST_PARTS:
        raise RecordError(f"{path} holds {count:,} nodes and tensors: at most {_MOST_PARTS:,} are looked through")
    if words := _nowhere(proto):
        raise RecordError(f"{path} is damaged ONNX: {words}")
    try:
        with _quiet():
            return ir.from_proto(proto)
    except Exception as error:
        raise RecordError(f"{path} is damaged ONNX: {_reason(error)}") from error


def _graphs(model: onnx.ModelProto) -> Iterator[onnx.GraphProto | onnx.FunctionProto]:
    """The graph, the functions, and what stands in their nodes."""
    waiting: list[onnx.GraphProto | onnx.FunctionProto] = [model.graph, *model.functions]
    while waiting:
        graph = waiting.pop()
        yield graph
        for attribute in _attributes(graph):
            waiting += [attribute.g] * attribute.HasField("g") + list(attribute.graphs)


def _attributes(graph: onnx.GraphProto | onnx.FunctionProto) -> Iterator[onnx.AttributeProto]:
    return (attribute for node in graph.node for attribute in node.attribute)


def _count(model: onnx.ModelProto) -> int:
    """Nodes, constants and described values, of all graphs and functions; no further than the most that may be."""
    count = 0
    for graph in _graphs(model):
        count += 1 + len(graph.node) + len(graph.value_info)
        if isinstance(graph, onnx.GraphProto):
            count += len(graph.initializer) + len(graph.input) + len(graph.output)
        if count > _MOST_PARTS:
            break
    return count


def _nowhere(model: onnx.ModelProto) -> str:
    """What is said of the first constant whose place in another file is none, in words."""
    for tensor in itertools.chain.from_iterable(map(_tensors, _graphs(model))):
        for entry in tensor.external_data:
            if entry.key in ("offset", "length") and not (entry.value.isascii() and entry.value.isdigit()):
                return f"tensor {tensor.name!r} lies in another file with {entry.key} {entry.value[:40]!r}"
    return ""


def _tensors(graph: onnx.GraphProto | onnx.FunctionProto) -> Iterator[onnx.TensorProto]:
    if isinstance(graph, onnx.GraphProto):
        yield from graph.initializer
    for attribute in _attributes(graph):
        yield from [attribute.t] * attribute.HasField("t") + list(attribute.tensors)


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """What the reader logs of a damaged file is told by `sound`, in one line."""
    log = logging.getLogger("onnx_ir")
    before = log.level
    log.setLevel(logging.CRITICAL)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        log.setLevel(before)


def _reason(error: BaseException) -> str:
    """The innermost cause, in one line."""
    while error.__cause__ is not None:
        error = error.__cause__
    return " ".join(f"{type(error).__name__}: {error}".split())[:200]
