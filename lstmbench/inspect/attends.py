"""Attention among the steps of a sequence: a softmax of products of what was computed, times what was computed."""

from collections.abc import Iterable

import onnx_ir as ir

from lstmbench.inspect.flow import RESHAPES, Flow
from lstmbench.inspect.inspection import Attention
from lstmbench.inspect.tensors import Constants

_PRODUCTS = frozenset(["Einsum", "FusedMatMul", "MatMul"])
_SCALES, _MASKS = frozenset(["Div", "Mul"]), frozenset(["Add", "Sub", "Where"])
_NEAR = 8  # nodes between a product and its softmax, or behind it: scale, mask, casts


def attention(flow: Flow, constants: Constants) -> Attention | None:
    """Whether a step reads others, and whether a mask stands between; None where none does.

    That the mask is causal is not told: `check` tells what it lets through.
    """
    found = [
        _masked(flow, constants, node) for place in flow.places for node in place.nodes if node.op_type == "Softmax"
    ]
    told = [masked for masked in found if masked is not None]
    return None if not told else "masked" if all(told) else "not masked"


def _masked(flow: Flow, constants: Constants, softmax: ir.Node) -> bool | None:
    """Of one softmax; None where it is none of attention, as that of logits."""
    masked, values = False, [softmax.inputs[0]]
    for _ in range(_NEAR):
        nodes = [node for value in values if value is not None and (node := value.producer()) is not None]
        if any(_of_computed(constants, node) for node in nodes):
            return masked if _reads(flow, constants, softmax) else None
        masked |= any(node.op_type in _MASKS for node in nodes)
        values = [v for node in nodes if node.op_type in _SCALES | _MASKS | RESHAPES for v in node.inputs]
    return None


def _reads(flow: Flow, constants: Constants, softmax: ir.Node) -> bool:
    """Whether what comes out is multiplied with what was computed."""
    values: Iterable[ir.Value] = softmax.outputs
    for _ in range(_NEAR):
        flow.follow()
        nodes = [node for value in values for node, _ in value.uses()]
        if any(_of_computed(constants, node) for node in nodes):
            return True
        values = [value for node in nodes if node.op_type in _SCALES | RESHAPES for value in node.outputs]
    return False


def _of_computed(constants: Constants, node: ir.Node) -> bool:
    """Whether a node multiplies two matrices of which the file holds neither."""
    if node.op_type not in _PRODUCTS or len(node.inputs) < 2:
        return False
    return not any(value is None or constants.is_constant(value) for value in node.inputs[:2])
