"""External data of an ONNX file, as arrays over bytes that were checked: nothing on disk is looked at again."""

import math
from collections.abc import Iterator
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx.external_data_helper import uses_external_data

from lstmbench.errors import RecordError


def tensors(graph: bytes, data: bytes) -> dict[str, NDArray[Any]]:
    """The initializers that an ONNX file keeps beside itself, by name; they are views of `data`.

    RecordError where another tensor of the file lies elsewhere too: an engine would look for it by itself, in whatever
    folder it was started in.
    """
    model = onnx.load_model_from_string(graph)
    found = {tensor.name: _array(tensor, data) for tensor in model.graph.initializer if uses_external_data(tensor)}
    if sum(map(uses_external_data, _all(model))) > len(found):
        raise RecordError("a tensor inside a node lies in another file; export again")
    return found


def demand_none(graph: bytes) -> None:
    """RecordError where a tensor of an ONNX file lies in another file."""
    if any(map(uses_external_data, _all(onnx.load_model_from_string(graph)))):
        raise RecordError("its tensors lie in another file, of which its record knows nothing; export again")


def _all(model: onnx.ModelProto) -> Iterator[onnx.TensorProto]:
    for graph in (model.graph, *model.functions):
        yield from _of_graph(graph)


def _of_graph(graph: onnx.GraphProto | onnx.FunctionProto) -> Iterator[onnx.TensorProto]:
    if isinstance(graph, onnx.GraphProto):
        yield from graph.initializer
        yield from (part for sparse in graph.sparse_initializer for part in (sparse.values, sparse.indices))
    for attribute in (attribute for node in graph.node for attribute in node.attribute):
        sparse = (attribute.sparse_tensor, *attribute.sparse_tensors)
        yield from (attribute.t, *attribute.tensors, *(part for held in sparse for part in (held.values, held.indices)))
        for body in (attribute.g, *attribute.graphs):
            yield from _of_graph(body)


def _array(tensor: onnx.TensorProto, data: bytes) -> NDArray[Any]:
    dtype, shape = onnx.helper.tensor_dtype_to_np_dtype(tensor.data_type), tuple(tensor.dims)
    where = {entry.key: entry.value for entry in tensor.external_data}
    try:
        return np.frombuffer(data, dtype, math.prod(shape), int(where["offset"])).reshape(shape)
    except (ValueError, KeyError, OverflowError) as error:
        raise RecordError(f"tensor {tensor.name!r} does not lie where its file says: {error}; export again") from error
