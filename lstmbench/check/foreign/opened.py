"""An ONNX file, opened with care: what a runtime is to be given, and what of it can be known before."""

import contextlib
import itertools
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
import onnx
import onnx_ir as ir
from onnx import numpy_helper
from onnx.external_data_helper import uses_external_data

from lstmbench import disk
from lstmbench.errors import GraphError, RecordError
from lstmbench.evaluator.calls import demand_few_nodes
from lstmbench.evaluator.endless import demand_ending
from lstmbench.evaluator.supported import demand_evaluable, demand_float32
from lstmbench.evaluator.walk import tensors
from lstmbench.onnxfile import external, opening, ports
from lstmbench.onnxfile.ports import Ports

_MOST_PORTS = 2_000


class Opened(NamedTuple):
    """A file that is valid ONNX in float32, with all of its external data beside it."""

    path: Path
    data: bytes
    model: ir.Model
    ports: Ports

    def demand_unchanged(self) -> None:
        """RecordError if the file is another by now: no verdict is about both."""
        if disk.read_bytes(self.path, most_bytes=opening.LIMIT_BYTES, named=True) != self.data:
            raise RecordError(f"{self.path} was changed while it was checked; check it again")


def opened(path: Path, *, evaluable: bool) -> Opened:
    """RecordError for a file that is no ONNX, or not whole; GraphError for one that cannot be judged.

    `evaluable`: it is to be evaluated too, not only run.
    """
    data, model = opening.read(path)
    for file in external.files(path.parent, constants(model)):
        if file.problem:
            raise RecordError(f"{path} keeps tensors in {file.file!r}: {file.problem}")
    proto, found = onnx.ModelProto.FromString(data), ports.of(path, model)
    opening.demand_valid(path, _to_be_valid(proto))
    with about(path):
        _demand_ports(found)
        demand_few_nodes(proto)
        demand_float32(proto)
        demand_ending(proto)
        if evaluable and not model.functions:  # those are seen where they are called
            demand_evaluable(proto)
    return Opened(path, data, model, found)


@contextlib.contextmanager
def about(path: Path) -> Iterator[None]:
    """Name the file that a GraphError is about."""
    try:
        yield
    except GraphError as error:
        raise GraphError(f"{path}: {error}") from error


def _demand_ports(found: Ports) -> None:
    if not found.outputs:
        raise GraphError("it has no output, so there is nothing to compare")
    if (count := len(found.inputs) + len(found.outputs)) > _MOST_PORTS:
        raise GraphError(f"it has {count:,} inputs and outputs: at most {_MOST_PORTS:,} are judged")


def _to_be_valid(proto: onnx.ModelProto) -> bytes:
    """What the standard's checker is shown: with what it wants and no runtime does, without what it looks for in vain.

    An output without a shape gets one; external data, which was looked at before, it would seek in the working folder.
    """
    copy = onnx.ModelProto()
    copy.CopyFrom(proto)
    for tensor in tensors(copy):
        if uses_external_data(tensor):
            tensor.CopyFrom(numpy_helper.from_array(np.zeros(0, np.float32), tensor.name))
    for value in copy.graph.output:
        if value.type.HasField("tensor_type"):
            value.type.tensor_type.shape.SetInParent()
    shown: bytes = copy.SerializeToString()
    return shown


def constants(model: ir.Model) -> Iterator[ir.TensorProtocol]:
    """Initializers, and what attributes hold."""
    for graph in model.graphs():
        for value in graph.initializers.values():
            if value.const_value is not None:
                yield value.const_value
    for node in itertools.chain(model.graph.all_nodes(), *(part.all_nodes() for part in model.functions.values())):
        for attribute in node.attributes.values():
            if attribute.type == ir.AttributeType.TENSOR and not attribute.is_ref():
                yield attribute.as_tensor()
