"""Where time stands in the graph's inputs, followed back from the recurrences; reshapes that freeze it."""

from collections.abc import Iterable, Iterator

import onnx_ir as ir

from lstmbench.inspect.flow import Flow, bodies, name_of
from lstmbench.inspect.operators import OPERATORS
from lstmbench.inspect.tensors import Constants, number

_ALIKE = frozenset(
    [
        "Add",
        "Cast",
        "CastLike",
        "Clip",
        "Concat",
        "Dropout",
        "DynamicQuantizeMatMul",
        "Gelu",
        "Identity",
        "LayerNormalization",
        "MatMul",
        "MatMulNBits",
        "Mul",
        "Relu",
        "Sigmoid",
        "Sub",
        "Tanh",
    ]
)


def time_axes(flow: Flow, constants: Constants) -> dict[ir.Value, int]:
    """Of each input that recurrences run along: the axis that is T."""
    found: dict[ir.Value, int] = {}
    inputs = set(flow.inputs)
    seen, waiting = set[tuple[ir.Value, int]](), [pair for place in flow.places for pair in starts(place.nodes)]
    while waiting:
        value, axis = waiting.pop()
        if (value, axis) in seen:
            continue
        flow.follow()
        seen.add((value, axis))
        if value in inputs:
            found[value] = axis
        node = value.producer()
        if node is not None:
            waiting += before(constants, node, axis)
        elif value in flow.entries:
            waiting.append((flow.entries[value], axis))
    return found


def starts(nodes: Iterable[ir.Node]) -> Iterator[tuple[ir.Value, int]]:
    """What recurrences run along, with the axis."""
    for node in nodes:
        if node.op_type in OPERATORS and node.inputs and node.inputs[0] is not None:
            yield node.inputs[0], number(node, "layout", 0)
        elif node.op_type == "Scan":
            along = list(node.inputs)[len(node.inputs) - number(node, "num_scan_inputs", 0) :]
            held = node.attributes.get("scan_input_axes")
            axes = list(held.as_ints()) if held is not None else [0] * len(along)
            yield from (
                (value, axis) for value, axis in zip(along, axes, strict=False) if value is not None and axis >= 0
            )
        elif node.op_type == "Loop":
            yield from _rows(node)


def _rows(node: ir.Node) -> Iterator[tuple[ir.Value, int]]:
    """What the body of a Loop picks by the iteration's number."""
    for body in bodies(node):
        for inner in body.inputs[:1]:
            for user, index in inner.uses():
                if user.op_type == "Gather" and index == 1 and user.inputs[0] is not None:
                    yield user.inputs[0], number(user, "axis", 0)


def before(constants: Constants, node: ir.Node, axis: int) -> list[tuple[ir.Value, int]]:
    """The inputs of a node in which the axis stands too, and where; none if it cannot be followed."""
    if not node.inputs or node.inputs[0] is None:
        return []
    if node.op_type in OPERATORS:  # Y (T, D, B, H), with layout 1 (B, T, D, H)
        return list(starts([node])) if axis == number(node, "layout", 0) else []
    if node.op_type in {"Scan", "Loop"}:
        return list(starts([node])) if axis == 0 else []
    if node.op_type == "Concat" and axis == number(node, "axis", 0):
        return []
    if node.op_type in _ALIKE:
        return [(value, axis) for value in node.inputs if value is not None and not constants.is_constant(value)]
    return _moved(constants, node, node.inputs[0], axis)


def _moved(constants: Constants, node: ir.Node, data: ir.Value, axis: int) -> list[tuple[ir.Value, int]]:
    """Through a node that moves axes, an embedding among them."""
    if node.op_type == "Transpose":
        perm = node.attributes.get("perm")
        order = list(perm.as_ints()) if perm is not None else []
        return [(data, order[axis])] if axis < len(order) else []
    if node.op_type == "Gather":
        ids = node.inputs[1]
        return [(ids, axis)] if ids is not None and constants.is_constant(data) else []
    if node.op_type in {"Squeeze", "Unsqueeze"}:
        return _shifted(constants, node, data, axis)
    return [(data, axis)] if node.op_type == "Slice" else _reshaped(constants, node, data, axis)


def _shifted(constants: Constants, node: ir.Node, data: ir.Value, axis: int) -> list[tuple[ir.Value, int]]:
    """Across axes that were added or taken away."""
    given = node.inputs[1] if len(node.inputs) > 1 else None
    held = None if given is None else constants.array(given)
    listed = node.attributes.get("axes")
    axes = list(listed.as_ints()) if listed is not None else [] if held is None else [int(n) for n in held.ravel()]
    if not axes or min(axes) < 0:
        return []
    if node.op_type == "Squeeze":
        for added in sorted(axes):
            axis += added <= axis
        return [(data, axis)]
    return [] if axis in axes else [(data, axis - sum(added < axis for added in axes))]


def _reshaped(constants: Constants, node: ir.Node, data: ir.Value, axis: int) -> list[tuple[ir.Value, int]]:
    """A Reshape that leaves the axes before and the axis itself as they were."""
    sizes = None if node.op_type != "Reshape" else _sizes(constants, node)
    return [(data, axis)] if sizes is not None and sizes[: axis + 1] == [0] * (axis + 1) else []


def _sizes(constants: Constants, node: ir.Node) -> list[int] | None:
    given = node.inputs[1] if len(node.inputs) > 1 else None
    held = None if given is None else constants.array(given)
    return None if held is None else [int(n) for n in held.ravel()]


def frozen_reshapes(flow: Flow, constants: Constants) -> list[tuple[str, list[int]]]:
    """Reshapes of what is computed to three sizes or more, all of them written down."""
    found = []
    for place in flow.places:
        for node in place.nodes:
            sizes = _sizes(constants, node) if node.op_type == "Reshape" else None
            if sizes is not None and len(sizes) > 2 and min(sizes) > 0 and _computed(constants, node.inputs[0]):
                found.append((name_of(node), sizes))
    return found


def _computed(constants: Constants, value: ir.Value | None) -> bool:
    return value is not None and not constants.is_constant(value)
