"""The two heads: how a batch comes into the time-major middle of a graph, and how it leaves."""

import onnx_ir as ir

from lstmbench.export import attention
from lstmbench.export.nodes import Nodes, declare, floats
from lstmbench.export.source import Source


def graph_input(source: Source, time: int | str) -> ir.Value:
    """`input_ids` (B, T) int64, or `x` (B, T, E)."""
    if source.config.head == "lm":
        return ir.val("input_ids", ir.DataType.INT64, ["B", time])
    return floats("x", ["B", time, source.config.input_size])


def enter(nodes: Nodes, source: Source, value: ir.Value) -> ir.Value:
    """Tokens (B, T) or x (B, T, E) -> features (T, B, E)."""
    if source.config.head == "layer":
        return nodes.add("head.time_major", "Transpose", [value], perm=[1, 0, 2])
    ids = nodes.add("head.time_major", "Transpose", [value], perm=[1, 0])
    return embed(nodes, nodes, source, ids)


def embed(step: Nodes, outer: Nodes, source: Source, ids: ir.Value, *, part: str = "") -> ir.Value:
    """Token ids (…) -> features (…, E)."""
    table = outer.constant("embedding.weight", source.weights["embedding.weight"])
    return step.add(f"head.{part}embedding", "Gather", [table, ids], axis=0)


def leave(nodes: Nodes, source: Source, y: ir.Value, time: int | str, lengths: ir.Value | None) -> ir.Value:
    """Y (T, B, D·H) -> `logits` (B, T, V), or `y` (B, T, D·H); `lengths` (B,), where rows have some."""
    config = source.config
    y = nodes.add("head.batch_major", "Transpose", [y], perm=[1, 0, 2])
    if config.head == "layer":
        return declare(y, "y", ["B", time, config.directions * config.hidden_size])
    if config.attention:
        y = attention.attend(nodes, source, y, lengths)
    return declare(project(nodes, nodes, source, y), "logits", ["B", time, config.vocabulary_size])


def project(step: Nodes, outer: Nodes, source: Source, y: ir.Value) -> ir.Value:
    """Y (…, H) -> logits (…, V)."""
    projected = step.add("head.projection", "MatMul", [y, _projection(outer, source)])
    bias = outer.constant("decoder.bias", source.weights["decoder.bias"])
    return step.add("head.bias", "Add", [projected, bias])


def _projection(nodes: Nodes, source: Source) -> ir.Value:
    """The matrix (H, V); tied weights stand in the file once, as the embedding."""
    if source.config.tie_weights:
        table = nodes.constant("embedding.weight", source.weights["embedding.weight"])
        return nodes.add("head.projection_weight", "Transpose", [table], perm=[1, 0])
    return nodes.constant("decoder.weight", source.weights["decoder.weight"].T)
