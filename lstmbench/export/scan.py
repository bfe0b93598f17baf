"""Form `scan`: each direction of a layer is one Scan over time; it holds every cell."""

import onnx_ir as ir

from lstmbench.export import step
from lstmbench.export.nodes import Layer, Nodes, Start, floats
from lstmbench.export.source import Direction, Source


def layer(nodes: Nodes, source: Source, k: int, x: ir.Value, start: Start) -> Layer:
    """Layer k: x (T, B, E), h and c (D·L, B, H) -> y (T, B, D·H), and h and c (1, B, H) a direction."""
    return step.layer(nodes, source, k, x, start, _over_time)


def _over_time(nodes: Nodes, direction: Direction, z: ir.Value, start: Start) -> list[ir.Value]:
    at, backwards = direction.at, int(direction.reverse)
    along = [z] if start.ends is None else [z, start.ends]
    return nodes.add_many(
        f"{at}.scan",
        "Scan",
        [start.h, start.c, *along],
        outputs=[f"{at}.scan.h", f"{at}.scan.c", f"{at}.scan.y"],
        body=_body(nodes, direction, with_ends=start.ends is not None),
        num_scan_inputs=len(along),
        scan_input_directions=[backwards] * len(along),
        scan_output_directions=[backwards],
    )


def _body(outer: Nodes, direction: Direction, *, with_ends: bool) -> ir.Graph:
    """H and c (B, H), z (B, 4H), which rows go on (B, 1) -> h', c' and y."""
    at, H = direction.at, direction.config.hidden_size
    h, c, z = floats(f"{at}.h", ["B", H]), floats(f"{at}.c", ["B", H]), floats(f"{at}.z", ["B", 4 * H])
    goes_on = ir.val(f"{at}.goes_on", ir.DataType.BOOL, ["B", 1]) if with_ends else None
    body = Nodes()
    h_next, c_next, y = step.take_or_keep(body, outer, direction, Start(h, c, goes_on), z)
    if y is h_next:  # one value may not leave a body twice
        y = body.add(f"{at}.y_step", "Identity", [y])
    given = [h, c, z] if goes_on is None else [h, c, z, goes_on]
    return body.graph(f"{at}.step", given, [h_next, c_next, y])
