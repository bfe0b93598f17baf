"""Attention over past states, between the last layer and the projection; equations: `lstmbench.model.attention`.

All steps of a call at once, in operators of old opsets. Steps are counted by adding ones up, so that T stays open:
tract 0.23 loses a T that a Range was counted to, and ONNX Runtime's WebGPU provider has no Trilu.
"""

import numpy as np
import onnx_ir as ir

from lstmbench.export.nodes import Nodes
from lstmbench.export.source import Source
from lstmbench.model.weights import COMBINE, SCORE


def attend(nodes: Nodes, source: Source, h: ir.Value, lengths: ir.Value | None) -> ir.Value:
    """H (B, T, H) -> r (B, T, H), zero where a row has ended; `lengths` (B,), where rows have some."""
    A, C = (nodes.constant(name, source.weights[name].T) for name in (SCORE, COMBINE))
    scale = nodes.constant("head.attention.scale", np.array(source.config.hidden_size**-0.5, np.float32))
    keys = nodes.add("head.attention.keys", "MatMul", [h, A])
    turned = nodes.add("head.attention.keys_turned", "Transpose", [keys], perm=[0, 2, 1])
    queries = nodes.add("head.attention.queries", "Mul", [h, scale])
    scores = nodes.add("head.attention.scores", "MatMul", [queries, turned])  # (B, T, T)
    step = _numbers(nodes, h)
    shares = nodes.add("head.attention.shares", "Softmax", [_causal(nodes, scores, step)], axis=-1)
    read = nodes.add("head.attention.read", "MatMul", [shares, h])
    both = nodes.add("head.attention.read_and_h", "Concat", [read, h], axis=-1)
    combined = nodes.add("head.attention.combined", "MatMul", [both, C])
    out = nodes.add("head.attention.out", "Tanh", [combined])
    return out if lengths is None else _cut(nodes, out, step, lengths)


def _numbers(nodes: Nodes, h: ir.Value) -> ir.Value:
    """1 to T int32, (T,)."""
    one = nodes.constant("head.attention.one", np.array(1, np.int32))
    T = nodes.add("head.attention.T", "Shape", [h], start=1, end=2)
    ones = nodes.add("head.attention.ones", "Expand", [one, T])
    return nodes.add("head.attention.step", "CumSum", [ones, nodes.constant("head.attention.axis", np.array(0))])


def _causal(nodes: Nodes, scores: ir.Value, step: ir.Value) -> ir.Value:
    """Scores (B, T, T), of later steps -∞: softmax gives them nothing."""
    now = nodes.add("head.attention.now", "Unsqueeze", [step, _axes(nodes, 1)])  # (T, 1)
    later = nodes.add("head.attention.later", "Less", [now, step])  # (T, T)
    nothing = nodes.constant("head.attention.nothing", np.array(-np.inf, np.float32))
    return nodes.add("head.attention.causal", "Where", [later, nothing, scores])


def _cut(nodes: Nodes, out: ir.Value, step: ir.Value, lengths: ir.Value) -> ir.Value:
    """Zero where a row has ended; NaN cannot reach it, since no layer gives any there."""
    ends = nodes.add("head.attention.ends", "Unsqueeze", [lengths, _axes(nodes, 1)])  # (B, 1)
    over = nodes.add("head.attention.over", "Less", [ends, step])  # (B, T)
    each = nodes.add("head.attention.over_each", "Unsqueeze", [over, _axes(nodes, 2)])
    zero = nodes.constant("head.attention.zero", np.array(0, np.float32))
    return nodes.add("head.attention.cut", "Where", [each, zero, out])


def _axes(nodes: Nodes, axis: int) -> ir.Value:
    return nodes.constant(f"head.attention.axes.{axis}", np.array([axis]))
