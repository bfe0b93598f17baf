"""Attention over past states, between the last layer and the projection; equations: `lstmbench.model.attention`.

All steps of a call at once, in operators of the standard's oldest opsets; T stays open, since the mask is counted from
the shape of what comes in.
"""

import numpy as np
import onnx_ir as ir

from lstmbench.export.nodes import Nodes
from lstmbench.export.source import Source
from lstmbench.model.weights import COMBINE, SCORE


def attend(nodes: Nodes, source: Source, h: ir.Value, lengths: ir.Value | None) -> ir.Value:
    """H (B, T, H) -> r (B, T, H), zero where a row has ended; `lengths` (B,), where rows have some."""
    scale = nodes.constant("head.attention.scale", np.array(source.config.hidden_size**-0.5, np.float32))
    keys = nodes.add("head.attention.keys", "MatMul", [h, nodes.constant(SCORE, source.weights[SCORE].T)])
    turned = nodes.add("head.attention.keys_turned", "Transpose", [keys], perm=[0, 2, 1])
    queries = nodes.add("head.attention.queries", "Mul", [h, scale])
    scores = nodes.add("head.attention.scores", "MatMul", [queries, turned])  # (B, T, T)
    steps, step = _numbers(nodes, h)
    shares = nodes.add("head.attention.shares", "Softmax", [_causal(nodes, scores, steps, step)], axis=-1)
    read = nodes.add("head.attention.read", "MatMul", [shares, h])
    both = nodes.add("head.attention.read_and_h", "Concat", [read, h], axis=-1)
    combined = nodes.add(
        "head.attention.combined", "MatMul", [both, nodes.constant(COMBINE, source.weights[COMBINE].T)]
    )
    out = nodes.add("head.attention.out", "Tanh", [combined])
    return out if lengths is None else _cut(nodes, out, steps, lengths)


def _numbers(nodes: Nodes, h: ir.Value) -> tuple[ir.Value, ir.Value]:
    """0 to T-1 int32, as a row (T,) and as a column (T, 1)."""
    first, one = (
        nodes.constant(f"head.attention.{word}", np.array(n, np.int32)) for word, n in (("first", 0), ("stride", 1))
    )
    shape = nodes.add("head.attention.T_shape", "Shape", [h], start=1, end=2)
    T = nodes.add("head.attention.T", "Squeeze", [shape, nodes.constant("head.attention.T.axis", np.array([0]))])
    end = nodes.add("head.attention.T_int32", "Cast", [T], to=ir.DataType.INT32)
    row = nodes.add("head.attention.steps", "Range", [first, end, one])
    last = nodes.constant("head.attention.column.axis", np.array([1]))
    return row, nodes.add("head.attention.step", "Unsqueeze", [row, last])


def _causal(nodes: Nodes, scores: ir.Value, steps: ir.Value, step: ir.Value) -> ir.Value:
    """Scores (B, T, T), of later steps -∞: softmax gives them nothing."""
    later = nodes.add("head.attention.later", "Less", [step, steps])  # (T, T)
    nothing = nodes.constant("head.attention.nothing", np.array(-np.inf, np.float32))
    return nodes.add("head.attention.causal", "Where", [later, nothing, scores])


def _cut(nodes: Nodes, out: ir.Value, steps: ir.Value, lengths: ir.Value) -> ir.Value:
    """Zero where a row has ended; NaN cannot reach it, since no layer gives any there."""
    axis = nodes.constant("head.attention.column.axis", np.array([1]))
    ends = nodes.add("head.attention.ends", "Unsqueeze", [lengths, axis])  # (B, 1)
    goes_on = nodes.add("head.attention.earlier", "Less", [steps, ends])  # (B, T)
    each = nodes.add(
        "head.attention.goes_on", "Unsqueeze", [goes_on, nodes.constant("head.attention.each.axis", np.array([2]))]
    )
    zero = nodes.constant("head.attention.zero", np.array(0, np.float32))
    return nodes.add("head.attention.cut", "Where", [each, out, zero])
