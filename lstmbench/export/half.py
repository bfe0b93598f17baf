"""Precision `fp16`: a float32 graph in float16 throughout, float32 at its inputs and outputs."""

import numpy as np
import onnx_ir as ir

from lstmbench.errors import ExportError

_FLOAT, _HALF = ir.DataType.FLOAT, ir.DataType.FLOAT16


def to_half(model: ir.Model) -> None:
    """Change the model in place; ExportError if a weight is too large for float16 (65,504)."""
    inputs, outputs = list(model.graph.inputs), list(model.graph.outputs)
    for graph in model.graphs():
        for value in graph.initializers.values():
            _store_half(value)
        declared = (*graph.inputs, *graph.outputs, *(value for node in graph for value in node.outputs))
        for value in declared:
            if value.dtype == _FLOAT:
                value.dtype = _HALF
    for node in [node for node in model.graph if node.op_type == "Transpose" and not node.outputs[0].is_graph_output()]:
        _part(model.graph, node)
    for value in inputs:
        _cast_in(model.graph, value)
    for place, value in enumerate(outputs):
        model.graph.outputs[place] = _cast_out(model.graph, value)


def _store_half(value: ir.Value) -> None:
    assert value.const_value is not None, "every initializer carries a tensor"
    array = value.const_value.numpy()
    if array.dtype != np.float32:
        return
    with np.errstate(over="ignore"):
        rounded = array.astype(np.float16)
    if (np.isinf(rounded) & np.isfinite(array)).any():  # -∞ of a mask stays what it is
        raise ExportError(
            f"{value.name} holds {np.abs(array).max():.3g}: float16 ends at 65,504; take another precision"
        )
    value.const_value = ir.Tensor(rounded, name=value.name)
    value.dtype = _HALF


def _cast_in(graph: ir.Graph, value: ir.Value) -> None:
    if value.dtype != _HALF:  # tokens
        return
    value.dtype = _FLOAT
    cast = ir.node("Cast", [value], {"to": int(_HALF)}, name=f"head.{value.name}_half")
    cast.outputs[0].name = f"{value.name}_half"
    ir.convenience.replace_all_uses_with(value, cast.outputs[0])
    cast.replace_input_with(0, value)
    graph.insert_before(next(iter(graph)), cast)


def _part(graph: ir.Graph, transpose: ir.Node) -> None:
    """Set a Reshape to the same shape after a Transpose.

    ONNX Runtime 1.32 crashes while it loads a Transpose, a Cast from float16 and a MatMul in a row, and the Cast is its
    own doing: its CPU computes MatMul in float32.
    """
    turned = transpose.outputs[0]
    as_it_was = np.array([0] * (len(transpose.attributes["perm"].as_ints()) - 1) + [-1])
    name = f"{transpose.name}_parted"
    shape = ir.val(f"{name}.shape", const_value=ir.Tensor(as_it_was, name=f"{name}.shape"))
    graph.register_initializer(shape)
    reshape = ir.node("Reshape", [turned, shape], outputs=[ir.val(name)], name=name)
    ir.convenience.replace_all_uses_with(turned, reshape.outputs[0])
    reshape.replace_input_with(0, turned)
    graph.insert_after(transpose, reshape)


def _cast_out(graph: ir.Graph, value: ir.Value) -> ir.Value:
    name = value.name
    value.name = f"{name}_half"
    after = ir.val(name, _FLOAT, value.shape)
    graph.append(ir.node("Cast", [value], {"to": int(_FLOAT)}, outputs=[after], name=f"head.{name}_single"))
    return after
