"""A copy of a float32 graph in float64: the same numbers, and nothing that is computed from them rounded to float32."""

import numpy as np
import onnx
from onnx import AttributeProto, TensorProto, helper, numpy_helper

from lstmbench.evaluator.walk import graphs

# where an attribute names the type of what comes out
_NAMES_TYPE = {"Cast": "to", "EyeLike": "dtype", "HannWindow": "output_datatype", "HammingWindow": "output_datatype"}
_NAMES_TYPE |= {"BlackmanWindow": "output_datatype", "SequenceEmpty": "dtype", "MelWeightMatrix": "output_datatype"}


def promoted(model: onnx.ModelProto) -> onnx.ModelProto:
    """The model with float64 in place of float32: initializers, inputs, constants, casts, in every body."""
    copy = onnx.ModelProto()
    copy.CopyFrom(model)
    for graph in graphs(copy.graph):
        del graph.value_info[:]
        for value in (*graph.input, *graph.output):
            _promote_type(value.type)
        for tensor in graph.initializer:
            _promote_tensor(tensor)
        for sparse in graph.sparse_initializer:
            _promote_tensor(sparse.values)
        for node in graph.node:
            _promote_node(node)
    return copy


def _promote_type(kind: onnx.TypeProto) -> None:
    if kind.tensor_type.elem_type == TensorProto.FLOAT:
        kind.tensor_type.elem_type = TensorProto.DOUBLE


def _promote_tensor(tensor: TensorProto) -> None:
    if tensor.data_type == TensorProto.FLOAT:
        tensor.CopyFrom(numpy_helper.from_array(numpy_helper.to_array(tensor).astype(np.float64), tensor.name))


def _promote_node(node: onnx.NodeProto) -> None:
    for attribute in node.attribute:
        if attribute.type == AttributeProto.TENSOR:
            _promote_tensor(attribute.t)
        elif attribute.name == _NAMES_TYPE.get(node.op_type) and attribute.i == TensorProto.FLOAT:
            attribute.i = TensorProto.DOUBLE
        elif node.op_type == "Constant" and attribute.name in {"value_float", "value_floats"}:
            held = attribute.f if attribute.name == "value_float" else list(attribute.floats)
            attribute.CopyFrom(helper.make_attribute("value", numpy_helper.from_array(np.array(held, np.float64))))
        elif attribute.type == AttributeProto.SPARSE_TENSOR:
            _promote_tensor(attribute.sparse_tensor.values)
    if node.op_type == "ConstantOfShape" and not node.attribute:  # float32 zeros, where it says nothing
        node.attribute.append(helper.make_attribute("value", numpy_helper.from_array(np.zeros(1))))
