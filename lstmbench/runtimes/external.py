"""External data of an ONNX file, as arrays over bytes that were checked: nothing on disk is looked at again."""

from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx.external_data_helper import uses_external_data


def tensors(graph: bytes, data: bytes) -> dict[str, NDArray[Any]]:
    """The initializers that an ONNX file keeps beside itself, by name; they are views of `data`."""
    initializers = onnx.load_model_from_string(graph).graph.initializer
    return {tensor.name: _array(tensor, data) for tensor in initializers if uses_external_data(tensor)}


def _array(tensor: onnx.TensorProto, data: bytes) -> NDArray[Any]:
    dtype, shape = onnx.helper.tensor_dtype_to_np_dtype(tensor.data_type), tuple(tensor.dims)
    where = {entry.key: entry.value for entry in tensor.external_data}
    return np.frombuffer(data, dtype, int(np.prod(shape)), int(where["offset"])).reshape(shape)
