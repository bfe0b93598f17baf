"""Form `scan`: each direction of a layer is one Scan over time; it holds every cell."""

import onnx_ir as ir

from lstmbench.export import step
from lstmbench.export.nodes import Layer, Nodes, floats
from lstmbench.export.source import Direction, Source


def layer(nodes: Nodes, source: Source, k: int, x: ir.Value, state: tuple[ir.Value, ir.Value]) -> Layer:
    """Layer k: x (T, B, E), h and c (D·L, B, H) -> y (T, B, D·H), and h and c (1, B, H) a direction."""
    return step.layer(nodes, source, k, x, state, _over_time)


def _over_time(nodes: Nodes, direction: Direction, z: ir.Value, state: tuple[ir.Value, ir.Value]) -> list[ir.Value]:
    at, backwards = direction.at, [int(direction.reverse)]
    return nodes.add_many(
        f"{at}.scan",
        "Scan",
        [*state, z],
        outputs=[f"{at}.scan.h", f"{at}.scan.c", f"{at}.scan.y"],
        body=_body(nodes, direction),
        num_scan_inputs=1,
        scan_input_directions=backwards,
        scan_output_directions=backwards,
    )


def _body(outer: Nodes, direction: Direction) -> ir.Graph:
    """H and c (B, H), z (B, 4H) -> h', c', and h' again as y."""
    at, H = direction.at, direction.config.hidden_size
    h, c, z = floats(f"{at}.h", ["B", H]), floats(f"{at}.c", ["B", H]), floats(f"{at}.z", ["B", 4 * H])
    body = Nodes()
    h_next, c_next = step.take(body, outer, direction, (h, c), z)
    y = body.add(f"{at}.y_step", "Identity", [h_next])  # one value may not leave a body twice
    return body.graph(f"{at}.step", [h, c, z], [h_next, c_next, y])
