"""Form `lstm`: each layer is one ONNX LSTM operator, both directions in it, with input P for diagonal peepholes.

The operator's peepholes are diagonal by its specification (P is [D, 3H]): the cell `full` cannot take this form.
"""

import numpy as np
import onnx_ir as ir

from lstmbench.arrays import Floats
from lstmbench.export.nodes import Layer, Nodes, Start
from lstmbench.export.source import Source
from lstmbench.model.gates import ONNX_GATES, ONNX_PEEPHOLES, TORCH_GATES, TORCH_PEEPHOLES, order


def layer(nodes: Nodes, source: Source, k: int, x: ir.Value, start: Start) -> Layer:
    """Layer k: x (T, B, E), h and c (D·L, B, H) -> y (T, B, D·H), and h and c (D, B, H)."""
    W, R, B, P = (
        None if array is None else nodes.constant(f"l{k}.{name}", array) for name, array in _tensors(source, k).items()
    )
    h, c = (_rows(nodes, source, k, value) for value in start[:2])
    inputs = [x, W, R, B, start.ends, h, c] + ([] if P is None else [P])
    y, h_n, c_n = nodes.add_many(
        f"l{k}.lstm",
        "LSTM",
        inputs,
        outputs=[f"l{k}.lstm.y", f"l{k}.lstm.h", f"l{k}.lstm.c"],
        hidden_size=source.config.hidden_size,
        direction="bidirectional" if source.config.bidirectional else "forward",
    )
    return Layer(_side_by_side(nodes, source, k, y), [h_n], [c_n])


def _tensors(source: Source, k: int) -> dict[str, Floats | None]:
    """The operator's inputs W (D, 4H, E), R (D, 4H, H), B (D, 8H), P (D, 3H)."""
    config, gates = source.config, order(TORCH_GATES, ONNX_GATES)

    def stacked(kind: str, gates: list[int] = gates) -> Floats:
        return np.stack([direction.packed(kind, gates) for direction in source.directions(k)])

    return {
        "W": stacked("weight_ih"),
        "R": stacked("weight_hh"),
        "B": np.concatenate([stacked("bias_ih"), stacked("bias_hh")], axis=1) if config.bias else None,
        "P": None if config.peephole == "none" else stacked("weight_ch", order(TORCH_PEEPHOLES, ONNX_PEEPHOLES)),
    }


def _rows(nodes: Nodes, source: Source, k: int, state: ir.Value) -> ir.Value:
    """The rows of layer k: (D·L, B, H) -> (D, B, H)."""
    if source.config.num_layers == 1:
        return state
    D, name = source.config.directions, f"l{k}.{state.name}"
    bounds = {"first": k * D, "end": (k + 1) * D, "axis": 0}
    limits = [nodes.constant(f"{name}.{word}", np.array([value])) for word, value in bounds.items()]
    return nodes.add(name, "Slice", [state, *limits])


def _side_by_side(nodes: Nodes, source: Source, k: int, y: ir.Value) -> ir.Value:
    """The operator's Y (T, D, B, H) -> (T, B, D·H)."""
    if not source.config.bidirectional:
        return nodes.add(f"l{k}.y", "Squeeze", [y, nodes.constant(f"l{k}.y.axes", np.array([1]))])
    turned = nodes.add(f"l{k}.y_turned", "Transpose", [y], perm=[0, 2, 1, 3])
    shape = nodes.constant(f"l{k}.y.shape", np.array([0, 0, -1]))  # 0: as it was
    return nodes.add(f"l{k}.y", "Reshape", [turned, shape])
