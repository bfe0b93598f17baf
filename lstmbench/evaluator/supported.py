"""Which graphs are evaluated, and why another is not: a wrong verdict is worse than none.

Judged are graphs in float32 of the standard's own domain. A lower precision is refused: what rounding such a file is
allowed depends on where its engine rounds, which the graph does not say. So is what draws random numbers, and what
`onnx.reference` is known to compute otherwise than the standard has it.
"""

from collections.abc import Iterator

import onnx
from onnx import TensorProto

from lstmbench.errors import GraphError
from lstmbench.evaluator.walk import everything, tensors

STANDARD = frozenset(["", "ai.onnx"])
_HELD = {TensorProto.FLOAT, TensorProto.DOUBLE, TensorProto.BOOL}
_HELD |= {TensorProto.INT8, TensorProto.INT16, TensorProto.INT32, TensorProto.INT64}
_HELD |= {TensorProto.UINT8, TensorProto.UINT16, TensorProto.UINT32, TensorProto.UINT64}
_RANDOM = frozenset(
    ["Bernoulli", "Multinomial", "RandomNormal", "RandomNormalLike", "RandomUniform", "RandomUniformLike"]
)
# of com.microsoft too
_ROUNDING = ("Quantize", "Dequantize", "DynamicQuantize", "QLinear", "MatMulInteger", "ConvInteger", "MatMulNBits")


def demand_float32(model: onnx.ModelProto) -> None:
    """GraphError, in one line, for a file in a lower precision."""
    reason = next(_lower(model), None)
    if reason is not None:
        raise GraphError(
            f"{reason}: only files in float32 can be judged by their graph; below it those of 'lstmbench export' can, "
            f"with --against and their model, since they say how they round"
        )


def demand_evaluable(model: onnx.ModelProto) -> None:
    """GraphError, in one line, for a graph that is not evaluated."""
    demand_float32(model)
    reason = next(_strange(model), None)
    if reason is not None:
        raise GraphError(f"{reason}; such a graph is not evaluated")


def _lower(model: onnx.ModelProto) -> Iterator[str]:
    held = {tensor.data_type for tensor in tensors(model)}
    given = {value.type.tensor_type.elem_type for value in (*model.graph.input, *model.graph.output)}
    for graph in everything(model):
        for node in graph.node:
            if node.op_type.startswith(_ROUNDING):
                yield f"{named(node)} rounds to integers"
            held |= {a.i for a in node.attribute if node.op_type == "Cast" and a.name == "to"}
    for kind in sorted((held | given) - _HELD - {TensorProto.UNDEFINED, TensorProto.STRING}):
        name = TensorProto.DataType.Name(kind).lower() if kind in TensorProto.DataType.values() else f"type {kind}"
        yield f"it holds {name}"


def _strange(model: onnx.ModelProto) -> Iterator[str]:
    opset = max((o.version for o in model.opset_import if o.domain in STANDARD), default=0)
    if opset > (known := onnx.defs.onnx_opset_version()):
        yield f"its opset is {opset}, and onnx {onnx.__version__} knows none after {known}"
    for graph in everything(model):
        for node in graph.node:
            told = {a.name for a in node.attribute}
            if node.domain not in STANDARD:
                yield f"{named(node)} is of domain {node.domain!r}, not of the standard"
            elif node.op_type in _RANDOM or (node.op_type == "Dropout" and any(node.input[2:3])):
                yield f"{named(node)} draws random numbers"
            elif node.op_type in {"RNN", "GRU"}:
                unknown = told & {"clip", "activations", "activation_alpha", "activation_beta"}
                if unknown or any(node.input[4:5]):
                    yield f"{named(node)} has {', '.join(sorted(unknown)) or 'sequence_lens'}"
            elif node.op_type == "MaxUnpool" and any(node.input[2:3]):
                yield f"{named(node)} has output_shape, where implementations differ"
            elif node.op_type == "Scan" and opset < 9:
                yield f"{named(node)} is of opset {opset}, which has another Scan than all since 9"


def named(node: onnx.NodeProto) -> str:
    """A node as a line names it."""
    return f"node {node.name or (node.output[0] if node.output else '')!r} ({node.op_type})"
