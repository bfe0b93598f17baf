"""Forms `step` and `unrolledN`: the steps of a call stand in the graph one after the other; they hold every cell.

For engines that run no control flow, and for a caller that feeds one token at a time anyway. T is fixed: each step
takes its row of the input projection by a Gather, since engines on graphics processors limit how many outputs a
Split may have.
"""

import numpy as np
import onnx_ir as ir

from lstmbench.export import step
from lstmbench.export.nodes import Layer, Nodes, Start
from lstmbench.export.source import Direction, Source


def layer(nodes: Nodes, source: Source, k: int, x: ir.Value, start: Start, steps: int) -> Layer:
    """Layer k: x (N, B, E), h and c (D·L, B, H) -> y (N, B, D·H), and h and c (1, B, H) a direction."""

    def over_time(nodes: Nodes, direction: Direction, z: ir.Value, start: Start) -> list[ir.Value]:
        y, (h, c, ends) = dict[int, ir.Value](), start
        for t in reversed(range(steps)) if direction.reverse else range(steps):
            now = direction._replace(part=f"t{t}")
            row = nodes.constant(f"{now.now}.row", np.array(t))
            z_now = nodes.add(f"{now.now}.z", "Gather", [z, row], axis=0)
            goes_on = None if ends is None else nodes.add(f"{now.now}.goes_on", "Gather", [ends, row], axis=0)
            h, c, y[t] = step.take_or_keep(nodes, nodes, now, Start(h, c, goes_on), z_now)
        return [h, c, _stacked(nodes, direction, [y[t] for t in range(steps)])]

    return step.layer(nodes, source, k, x, start, over_time)


def _stacked(nodes: Nodes, direction: Direction, y: list[ir.Value]) -> ir.Value:
    """N of (B, H) -> (N, B, H), with three nodes however many there are."""
    at = direction.at
    side_by_side = nodes.join(f"{at}.y_joined", y, axis=-1)  # (B, N·H)
    shape = nodes.constant(f"{at}.y_shape", np.array([0, len(y), direction.config.hidden_size]))  # 0: as it was
    rows = nodes.add(f"{at}.y_rows", "Reshape", [side_by_side, shape])
    return nodes.add(f"{at}.y_steps", "Transpose", [rows], perm=[1, 0, 2])
