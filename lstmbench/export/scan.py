"""Form `scan`: each direction of a layer is one Scan over time; it holds every cell."""

import numpy as np
import onnx_ir as ir

from lstmbench.export import step
from lstmbench.export.nodes import Layer, Nodes, floats
from lstmbench.export.source import Direction, Source


def layer(nodes: Nodes, source: Source, k: int, x: ir.Value, state: tuple[ir.Value, ir.Value]) -> Layer:
    """Layer k: x (T, B, E), h and c (D·L, B, H) -> y (T, B, D·H), and h and c (1, B, H) a direction."""
    scans = [_scan(nodes, direction, x, state) for direction in source.directions(k)]
    y, h, c = (list(parts) for parts in zip(*scans, strict=True))
    return Layer(nodes.join(f"l{k}.y", y, axis=-1), h, c)


def _scan(
    nodes: Nodes, direction: Direction, x: ir.Value, state: tuple[ir.Value, ir.Value]
) -> tuple[ir.Value, ir.Value, ir.Value]:
    at, backwards = direction.at, [int(direction.reverse)]
    z = step.input_projection(nodes, direction, x)
    row = nodes.constant(f"{at}.row", np.array(direction.row))
    h_0, c_0 = (nodes.add(f"{at}.{value.name}", "Gather", [value, row], axis=0) for value in state)
    h, c, y = nodes.add_many(
        f"{at}.scan",
        "Scan",
        [h_0, c_0, z],
        outputs=[f"{at}.scan.h", f"{at}.scan.c", f"{at}.scan.y"],
        body=_body(nodes, direction),
        num_scan_inputs=1,
        scan_input_directions=backwards,
        scan_output_directions=backwards,
    )
    axis = nodes.constant(f"{at}.axis", np.array([0]))
    return y, nodes.add(f"{at}.h_n", "Unsqueeze", [h, axis]), nodes.add(f"{at}.c_n", "Unsqueeze", [c, axis])


def _body(outer: Nodes, direction: Direction) -> ir.Graph:
    """H and c (B, H), z (B, 4H) -> h', c', and h' again as y."""
    at, H = direction.at, direction.config.hidden_size
    h, c, z = floats(f"{at}.h", ["B", H]), floats(f"{at}.c", ["B", H]), floats(f"{at}.z", ["B", 4 * H])
    body = Nodes()
    h_next, c_next = step.take(body, outer, direction, (h, c), z)
    y = body.add(f"{at}.y_step", "Identity", [h_next])  # one value may not leave a body twice
    return body.graph(f"{at}.step", [h, c, z], [h_next, c_next, y])
