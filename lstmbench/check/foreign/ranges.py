"""How a graph uses an input of integers, and so which it may be given: rows of a table, or lengths of sequences."""

from collections.abc import Iterator
from typing import NamedTuple

import onnx_ir as ir

_MOVES = frozenset(["Cast", "Concat", "Expand", "Flatten", "Identity", "Reshape", "Slice", "Split", "Squeeze", "Tile"])
_MOVES |= {"Transpose", "Unsqueeze"}
_LENGTHS = {"LSTM": 4, "GRU": 4, "RNN": 4, "ReverseSequence": 1}  # which input of the operator they are
_NAMES = frozenset(["lengths", "seq_lengths", "sequence_lengths", "seq_lens", "sequence_lens", "x_lengths"])


class Use(NamedTuple):
    """What a graph does with the integers of an input."""

    rows: int | None = None  # of the smallest table that it picks from
    lengths: bool = False  # of sequences


def use(model: ir.Model, name: str) -> Use:
    """Follow an input through nodes that only move it, and into bodies."""
    tables, lengths = [], name in _NAMES
    waiting = [value for value in model.graph.inputs if value.name == name]
    seen = set(waiting)
    while waiting:
        for node, index in waiting.pop().uses():
            lengths |= _LENGTHS.get(node.op_type) == index
            if node.op_type in {"Gather", "GatherElements"} and index == 1:
                tables += [rows] if (rows := _rows(node)) is not None else []
            onward = [value for value in _onward(node, index) if value not in seen]
            seen.update(onward)
            waiting += onward
    return Use(min(tables, default=None), lengths)


def _rows(node: ir.Node) -> int | None:
    table = node.inputs[0]
    axis = node.attributes.get_int("axis", 0)
    if table is None or table.shape is None or not -len(table.shape) <= axis < len(table.shape):
        return None
    size = table.shape[axis]
    return size if isinstance(size, int) else None


def _onward(node: ir.Node, index: int) -> Iterator[ir.Value]:
    """The values that hold what the node's input holds."""
    if node.op_type in _MOVES and (index == 0 or node.op_type == "Concat"):
        yield from node.outputs
    if node.op_type in {"Scan", "Loop"} and "body" in node.attributes:
        inputs = node.attributes["body"].as_graph().inputs
        if index < len(inputs) and not (node.op_type == "Loop" and index < 2):  # those count iterations
            yield inputs[index]
