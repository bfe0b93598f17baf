"""Rows that end before T: from there on a row keeps h and c and its y is zero, as with the operator's sequence_lens."""

import numpy as np
import onnx_ir as ir

from lstmbench.export.nodes import Nodes
from lstmbench.export.source import Direction


def graph_input() -> ir.Value:
    """`lengths` (B,) int32, each 1 to T."""
    return ir.val("lengths", ir.DataType.INT32, ["B"])


def going_on(nodes: Nodes, lengths: ir.Value, x: ir.Value, steps: int | None) -> ir.Value:
    """Lengths (B,), x (T, B, E) -> whether t is below a row's length, (T, B, 1) bool, once for all layers."""
    last = nodes.constant("head.goes_on.axis", np.array([2]))
    earlier = nodes.add("head.earlier", "Less", [_numbers(nodes, x, steps), lengths])
    return nodes.add("head.goes_on", "Unsqueeze", [earlier, last])


def _numbers(nodes: Nodes, x: ir.Value, steps: int | None) -> ir.Value:
    """0 to T-1 int32, (T, 1)."""
    if steps:
        return nodes.constant("head.t", np.arange(steps, dtype=np.int32)[:, None])
    first, one = (nodes.constant(f"head.t.{word}", np.array(n, np.int32)) for word, n in (("first", 0), ("stride", 1)))
    shape = nodes.add("head.T_shape", "Shape", [x], start=0, end=1)
    T = nodes.add("head.T", "Squeeze", [shape, nodes.constant("head.T.axis", np.array([0]))])
    end = nodes.add("head.T_int32", "Cast", [T], to=ir.DataType.INT32)
    row = nodes.add("head.t_row", "Range", [first, end, one])
    return nodes.add("head.t", "Unsqueeze", [row, nodes.constant("head.t.axis", np.array([1]))])


def keep(step: Nodes, name: str, goes_on: ir.Value, after: ir.Value, before: ir.Value) -> ir.Value:
    """Of the rows that go on what comes after, of the others what was before: (B, 1), (B, H), (B, H) -> (B, H)."""
    return step.add(name, "Where", [goes_on, after, before])


def cut(nodes: Nodes, direction: Direction, y: ir.Value, goes_on: ir.Value) -> ir.Value:
    """Y (T, B, H) of all steps -> the same, zero where a row has ended; whatever stood there, NaN too."""
    zero = nodes.constant("head.zero", np.array(0, np.float32))
    return nodes.add(f"{direction.at}.y_cut", "Where", [goes_on, y, zero])
