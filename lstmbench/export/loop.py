"""Form `loop`: each direction of a layer is one Loop over time; it holds every cell.

The same step as in `scan`, for engines that run Loop and not Scan: the body takes its row of the input projection by
the iteration's number.
"""

import numpy as np
import onnx_ir as ir

from lstmbench.export import step
from lstmbench.export.nodes import Layer, Nodes, Start, floats
from lstmbench.export.source import Direction, Source

_FAR_BELOW = np.iinfo(np.int64).min  # the end of a slice that runs backwards to the first element


def layer(nodes: Nodes, source: Source, k: int, x: ir.Value, start: Start) -> Layer:
    """Layer k: x (T, B, E), h and c (D·L, B, H) -> y (T, B, D·H), and h and c (1, B, H) a direction."""
    return step.layer(nodes, source, k, x, start, _over_time)


def _over_time(nodes: Nodes, direction: Direction, z: ir.Value, start: Start) -> list[ir.Value]:
    at, ends = direction.at, start.ends
    if direction.reverse:
        z = _backwards(nodes, f"{at}.z_turned", z)
        ends = None if ends is None else _backwards(nodes, f"{at}.ends_turned", ends)
    h, c, y = nodes.add_many(
        f"{at}.loop",
        "Loop",
        [_steps(nodes, at, z), None, start.h, start.c],
        outputs=[f"{at}.loop.h", f"{at}.loop.c", f"{at}.loop.y"],
        body=_body(nodes, direction, z, ends),
    )
    return [h, c, _backwards(nodes, f"{at}.y_turned", y) if direction.reverse else y]


def _body(outer: Nodes, direction: Direction, z: ir.Value, ends: ir.Value | None) -> ir.Graph:
    """The number of the step, whether to go on, h and c (B, H) -> whether to go on, h', c' and y."""
    at, H = direction.at, direction.config.hidden_size
    t = ir.val(f"{at}.t", ir.DataType.INT64, [])
    go_on = ir.val(f"{at}.go_on", ir.DataType.BOOL, [])
    h, c = floats(f"{at}.h", ["B", H]), floats(f"{at}.c", ["B", H])
    body = Nodes()
    now = body.add(f"{at}.z", "Gather", [z, t], axis=0)
    goes_on = None if ends is None else body.add(f"{at}.goes_on", "Gather", [ends, t], axis=0)
    h_next, c_next, y = step.take_or_keep(body, outer, direction, Start(h, c, goes_on), now)
    if y is h_next:  # one value may not leave a body twice
        y = body.add(f"{at}.y_step", "Identity", [y])
    still = body.add(f"{at}.still", "Identity", [go_on])
    return body.graph(f"{at}.step", [t, go_on, h, c], [still, h_next, c_next, y])


def _steps(nodes: Nodes, at: str, z: ir.Value) -> ir.Value:
    """T, a scalar, of z (T, B, 4H)."""
    first = nodes.add(f"{at}.steps_shape", "Shape", [z], start=0, end=1)
    return nodes.add(f"{at}.steps", "Squeeze", [first, nodes.constant(f"{at}.steps.axis", np.array([0]))])


def _backwards(nodes: Nodes, name: str, value: ir.Value) -> ir.Value:
    """The same rows, the last first: (T, …) -> (T, …)."""
    limits = {"first": -1, "end": _FAR_BELOW, "axis": 0, "stride": -1}
    return nodes.add(
        name, "Slice", [value, *(nodes.constant(f"{name}.{word}", np.array([n])) for word, n in limits.items())]
    )
