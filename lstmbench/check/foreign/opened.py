"""An ONNX file, opened with care: what a runtime is to be given, and what of it can be known before."""

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import onnx
import onnx_ir as ir

from lstmbench.errors import GraphError, RecordError
from lstmbench.evaluator.supported import demand_evaluable, demand_float32
from lstmbench.onnxfile import external, opening, ports
from lstmbench.onnxfile.ports import Ports


class Opened(NamedTuple):
    """A file that is valid ONNX in float32, with all of its external data beside it."""

    path: Path
    data: bytes
    model: ir.Model
    ports: Ports

    def demand_unchanged(self) -> None:
        """RecordError if the file is another by now: no verdict is about both."""
        if self.path.read_bytes() != self.data:
            raise RecordError(f"{self.path} was changed while it was checked; check it again")


def opened(path: Path, *, evaluable: bool) -> Opened:
    """RecordError for a file that is no ONNX, or not whole; GraphError for one that cannot be judged.

    `evaluable`: it is to be evaluated too, not only run.
    """
    data, model = opening.read(path)
    for file in external.files(path.parent, _tensors(model)):
        if file.problem:
            raise RecordError(f"{path} keeps tensors in {file.file!r}: {file.problem}")
    opening.demand_valid(path, data)
    proto = onnx.ModelProto.FromString(data)
    with about(path):
        demand_float32(proto)
        if evaluable and not model.functions:  # those are seen where they are called
            demand_evaluable(proto)
    return Opened(path, data, model, ports.of(path, model))


@contextlib.contextmanager
def about(path: Path) -> Iterator[None]:
    """Name the file that a GraphError is about."""
    try:
        yield
    except GraphError as error:
        raise GraphError(f"{path}: {error}") from error


def _tensors(model: ir.Model) -> Iterator[ir.TensorProtocol]:
    for graph in model.graphs():
        for value in graph.initializers.values():
            if value.const_value is not None:
                yield value.const_value
    for node in model.graph.all_nodes():
        for attribute in node.attributes.values():
            if attribute.type == ir.AttributeType.TENSOR and not attribute.is_ref():
                yield attribute.as_tensor()
