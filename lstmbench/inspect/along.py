"""Whether a graph goes along time step for step: from its inputs to its recurrences, and from those to its outputs."""

from collections.abc import Iterable, Iterator

import onnx_ir as ir

from lstmbench.inspect import axes
from lstmbench.inspect.flow import Flow
from lstmbench.inspect.operators import OPERATORS
from lstmbench.inspect.tensors import Constants, number, shape

_LAST = frozenset(["LayerNormalization", "LogSoftmax", "Softmax"])  # they mix what stands along the last axis


def timed(flow: Flow, constants: Constants) -> tuple[dict[str, int], dict[str, int], bool]:
    """The axis of T of each input and of each output that has it, and whether nothing on the way mixes steps.

    An output counts only where nothing behind its recurrences mixes steps either.
    """
    given, followed = dict[ir.Value, int](), True
    for start in (pair for place in flow.places for pair in axes.starts(place.nodes)):
        reached, whole = _walk(flow, constants, start)
        followed &= whole
        given |= reached
    outputs = {}
    for output in flow.outputs:
        for axis in range(len(shape(output) or ())):
            reached, whole = _walk(flow, constants, (output, axis))
            if whole and reached and reached.items() <= given.items():
                outputs[output.name or ""] = axis
    return {value.name or "": axis for value, axis in given.items()}, outputs, followed and bool(given)


def _walk(flow: Flow, constants: Constants, start: tuple[ir.Value, int]) -> tuple[dict[ir.Value, int], bool]:
    """The graph's inputs that a value comes from, with the axis, and whether all of it could be followed so far."""
    inputs, found, whole = set(flow.inputs), dict[ir.Value, int](), True
    seen, waiting = set[tuple[ir.Value, int]](), [start]
    while waiting:
        value, axis = waiting.pop()
        if (value, axis) in seen:
            continue
        flow.follow()
        seen.add((value, axis))
        node = value.producer()
        if value in inputs:
            found[value] = axis
        elif value in flow.entries:
            waiting.append((flow.entries[value], axis))
        elif node is not None and (before := list(_before(constants, node, value, axis))):
            waiting += before
        else:
            whole &= constants.is_constant(value) or _apart(flow, value)
    return found, whole


def _apart(flow: Flow, value: ir.Value) -> bool:
    """Whether a value hangs on shapes and on inputs of one axis alone, as a mask of lengths does."""
    inputs, seen, waiting = set(flow.inputs), set[ir.Value](), [value]
    while waiting:
        value = waiting.pop()
        if value in seen:
            continue
        flow.follow()
        seen.add(value)
        node = value.producer()
        if value in inputs and len(shape(value) or (0, 0)) > 1:
            return False
        if value in flow.entries:
            waiting.append(flow.entries[value])
        if node is not None and node.op_type not in {"Shape", "Size"}:
            waiting += [v for v in node.inputs if v is not None]
    return True


def _before(constants: Constants, node: ir.Node, value: ir.Value, axis: int) -> Iterable[tuple[ir.Value, int]]:
    """As `axes.before`, but for what picks or mixes steps, and for the last states of a recurrence."""
    which = list(node.outputs).index(value)
    if node.op_type in OPERATORS | {"Scan", "Loop"} and which < _states(node):
        return ()
    if node.op_type in OPERATORS and which > 0:
        return ()
    if node.op_type == "Slice" and axis not in _sliced_beside(constants, node, axis):
        return ()
    if node.op_type in _LAST and axis == len(shape(value) or shape(node.inputs[0]) or (0,) * (axis + 1)) - 1:
        return ()
    if node.op_type in _LAST:
        return [(v, axis) for v in node.inputs[:1] if v is not None]
    return axes.before(constants, node, axis)


def _states(node: ir.Node) -> int:
    """How many outputs of a node are last states."""
    if node.op_type == "Scan":
        return len(node.inputs) - number(node, "num_scan_inputs", 0)
    return len(node.inputs) - 2 if node.op_type == "Loop" else 0


def _sliced_beside(constants: Constants, node: ir.Node, axis: int) -> Iterator[int]:
    """The axis, where a Slice is known to leave it whole."""
    given = node.inputs[3] if len(node.inputs) > 3 else None
    held = None if given is None else constants.array(given)
    if held is not None and held.size and held.min() >= 0 and axis not in held:
        yield axis
