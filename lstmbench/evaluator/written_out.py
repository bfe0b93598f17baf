"""Functions put where they are called: those of a file, and those of the standard that are not evaluated as they are.

The standard writes many an operator out in others. Where `onnx.reference` has none of its own, rounds to float32 in it,
or sums in one order alone, that is what is evaluated.
"""

import onnx
import onnx.inliner
from onnx import helper, shape_inference

from lstmbench.evaluator.walk import graphs

_FUNCTIONS = frozenset(
    [
        "AffineGrid",
        "BlackmanWindow",
        "Gelu",
        "GroupNormalization",
        "HammingWindow",
        "HannWindow",
        "HardSwish",
        "MeanVarianceNormalization",
        "Mish",
        "NegativeLogLikelihoodLoss",
        "ReduceL1",
        "ReduceL2",
        "ReduceLogSum",
        "ReduceSumSquare",
        "RMSNormalization",
        "SoftmaxCrossEntropyLoss",
    ]
)


def written_out(model: onnx.ModelProto) -> onnx.ModelProto:
    """The model without calls of these; where types cannot be told, as it is."""
    model = onnx.inliner.inline_local_functions(model) if model.functions else model
    if not any(node.op_type in _FUNCTIONS for graph in graphs(model.graph) for node in graph.node):
        return model
    functions = [("", name) for name in sorted(_FUNCTIONS)]  # one may be written out in another
    try:
        return onnx.inliner.inline_selected_functions(_typed(model), functions, inline_schema_functions=True)
    except Exception:  # noqa: BLE001 (the inliner asserts; the evaluation then says which operator it has not)
        return model


def _typed(model: onnx.ModelProto) -> onnx.ModelProto:
    """A copy that says what the inliner asks for: every attribute that has a default, and types of all values.

    It looks for those of bodies among the values of the outermost graph.
    """
    copy = shape_inference.infer_shapes(model)
    typed = {value.name: value for value in (*copy.graph.input, *copy.graph.value_info)}
    for graph in graphs(copy.graph):
        for value in (*graph.input, *graph.value_info, *map(_held, graph.initializer)):
            if value.name not in typed:
                copy.graph.value_info.append(value)
                typed[value.name] = value
    version = next(one.version for one in copy.opset_import if one.domain == "")
    for graph in graphs(copy.graph):
        for node in graph.node:
            if node.op_type in _FUNCTIONS:
                _complete(node, onnx.defs.get_schema(node.op_type, version, ""))
    return copy


def _held(tensor: onnx.TensorProto) -> onnx.ValueInfoProto:
    return helper.make_tensor_value_info(tensor.name, tensor.data_type, tensor.dims)


def _complete(node: onnx.NodeProto, schema: onnx.defs.OpSchema) -> None:
    told = {attribute.name for attribute in node.attribute}
    for name, attribute in schema.attributes.items():
        if name not in told and attribute.default_value.type != onnx.AttributeProto.UNDEFINED:
            node.attribute.append(attribute.default_value)
