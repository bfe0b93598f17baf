"""A step as the body of a Scan or a Loop over time."""

from typing import Literal, TypeAlias

import numpy as np
import onnx_ir as ir

from lstmbench.mistakes import Case
from lstmbench.probe.nodes import Nodes
from lstmbench.probe.steps import Step, enter, leave

Repeats: TypeAlias = Literal["Scan", "Loop", "Loop without condition"]


def over_time(nodes: Nodes, case: Case, inputs: dict[str, ir.Value], form: Repeats) -> list[ir.Value]:
    """X (T, B, E) and states (1, B, H) -> Y (T, 1, B, H), Y_h and Y_c (1, B, H)."""
    body, h_in, c_in, x = Nodes(), *_inside(case)
    if form == "Scan":
        made = body.graph("step", [h_in, c_in, x], _step(body, nodes, case, x, h_in, c_in), {})
        h, c, y = nodes.add_many(
            "Scan", [*enter(nodes, inputs), inputs["X"]], "scan", outputs=3, body=made, num_scan_inputs=1
        )
    else:
        t, go_on = ir.val("t", ir.DataType.INT64, []), ir.val("go_on", ir.DataType.BOOL, [])
        now = body.add("Gather", [inputs["X"], t], "now", axis=0)
        still = body.add("Identity", [go_on], "still")
        made = body.graph("step", [t, go_on, h_in, c_in], [still, *_step(body, nodes, case, now, h_in, c_in)], {})
        condition = nodes.constant("condition", np.array(1, bool)) if form == "Loop" else None
        given: list[ir.Value | None] = [_steps(nodes, inputs["X"]), condition, *enter(nodes, inputs)]
        h, c, y = nodes.add_many("Loop", given, "loop", outputs=3, body=made)
    return leave(nodes, y, h, c)


def _step(body: Nodes, outer: Nodes, case: Case, x: ir.Value, h: ir.Value, c: ir.Value) -> list[ir.Value]:
    h, c = Step(body, outer, case).write(x, h, c)
    return [h, c, body.add("Identity", [h], "step_y")]  # one value may not leave a body twice


def _steps(nodes: Nodes, X: ir.Value) -> ir.Value:
    """T, a scalar, of X (T, B, E)."""
    first = nodes.add("Shape", [X], "steps_shape", start=0, end=1)
    return nodes.add("Squeeze", [first, nodes.constant("axis0", np.array([0]))], "steps")


def _inside(case: Case) -> tuple[ir.Value, ir.Value, ir.Value]:
    """The body's own h and c (B, H) and x (B, E)."""
    H, E = case.hidden, case.tensors["X"].shape[2]
    shapes = {"h_in": ["B", H], "c_in": ["B", H], "x": ["B", E]}
    h, c, x = (ir.val(name, ir.DataType.FLOAT, shape) for name, shape in shapes.items())
    return h, c, x
