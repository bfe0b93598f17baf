"""Forms `step` and `unrolledN`: the steps of a call stand in the graph one after the other; they hold every cell.

For engines that run no control flow, and for a caller that feeds one token at a time anyway. T is fixed: each step
takes its row of the input projection by a Gather, since engines on graphics processors limit how many outputs a
Split may have.
"""

import numpy as np
import onnx_ir as ir

from lstmbench.export import step
from lstmbench.export.nodes import Layer, Nodes
from lstmbench.export.source import Direction, Source


def layer(nodes: Nodes, source: Source, k: int, x: ir.Value, state: tuple[ir.Value, ir.Value], steps: int) -> Layer:
    """Layer k: x (N, B, E), h and c (D·L, B, H) -> y (N, B, D·H), and h and c (1, B, H) a direction."""

    def over_time(nodes: Nodes, direction: Direction, z: ir.Value, state: tuple[ir.Value, ir.Value]) -> list[ir.Value]:
        y, (h, c) = dict[int, ir.Value](), state
        for t in reversed(range(steps)) if direction.reverse else range(steps):
            now = direction._replace(part=f"t{t}")
            row = nodes.constant(f"{now.now}.row", np.array(t))
            y[t], c = step.take(nodes, nodes, now, (h, c), nodes.add(f"{now.now}.z", "Gather", [z, row], axis=0))
            h = y[t]
        return [h, c, _stacked(nodes, direction, [y[t] for t in range(steps)])]

    return step.layer(nodes, source, k, x, state, over_time)


def _stacked(nodes: Nodes, direction: Direction, y: list[ir.Value]) -> ir.Value:
    """N of (B, H) -> (N, B, H), with three nodes however many there are."""
    at = direction.at
    side_by_side = nodes.join(f"{at}.y_joined", y, axis=-1)  # (B, N·H)
    shape = nodes.constant(f"{at}.y_shape", np.array([0, len(y), direction.config.hidden_size]))  # 0: as it was
    rows = nodes.add(f"{at}.y_rows", "Reshape", [side_by_side, shape])
    return nodes.add(f"{at}.y_steps", "Transpose", [rows], perm=[1, 0, 2])
