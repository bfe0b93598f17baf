"""One step of a cell, and the product that all steps share before: what the forms with a loop of their own are made of.

The input projection W x + b of the whole sequence is one product; a step needs one more, on [h, c] where the peepholes
are full. Equations and names are those of `lstmbench.model.reference`.
"""

from collections.abc import Callable, Sequence
from typing import TypeAlias

import numpy as np
import onnx_ir as ir

from lstmbench.arrays import Floats
from lstmbench.export import ends
from lstmbench.export.nodes import Layer, Nodes, Start
from lstmbench.export.source import Direction, Source
from lstmbench.model.gates import TORCH_GATES, TORCH_PEEPHOLES, order

# of a direction: z (T, B, 4H), h_0 and c_0 (B, H) -> h_n and c_n (B, H), y (T, B, H)
OverTime: TypeAlias = Callable[[Nodes, Direction, ir.Value, Start], Sequence[ir.Value]]
SCAN_GATES = "ifog"  # the three that take σ stand together, so that one node may serve them


def layer(nodes: Nodes, source: Source, k: int, x: ir.Value, start: Start, over_time: OverTime) -> Layer:
    """Layer k: x (T, B, E), h and c (D·L, B, H) -> y (T, B, D·H), and h and c (1, B, H) a direction."""
    done = [_direction(nodes, direction, x, start, over_time) for direction in source.directions(k)]
    y, h, c = (list(parts) for parts in zip(*done, strict=True))
    return Layer(nodes.join(f"l{k}.y", y, axis=-1), h, c)


def _direction(
    nodes: Nodes, direction: Direction, x: ir.Value, start: Start, over_time: OverTime
) -> tuple[ir.Value, ir.Value, ir.Value]:
    at = direction.at
    z = input_projection(nodes, nodes, direction, x)
    row = nodes.constant(f"{at}.row", np.array(direction.row))
    h_0, c_0 = (nodes.add(f"{at}.{value.name}", "Gather", [value, row], axis=0) for value in start[:2])
    h, c, y = over_time(nodes, direction, z, Start(h_0, c_0, start.ends))
    y = y if start.ends is None else ends.cut(nodes, direction, y, start.ends)
    axis = nodes.constant(f"{at}.axis", np.array([0]))
    return y, nodes.add(f"{at}.h_n", "Unsqueeze", [h, axis]), nodes.add(f"{at}.c_n", "Unsqueeze", [c, axis])


def input_projection(step: Nodes, outer: Nodes, direction: Direction, x: ir.Value) -> ir.Value:
    """X (…, E) -> W x + b (…, 4H), for all steps at once or for one; its tensors stand in the graph around it."""
    at, now, gates = direction.at, direction.now, order(TORCH_GATES, SCAN_GATES)
    W = outer.constant(f"{at}.W", direction.packed("weight_ih", gates).T)
    z = step.add(f"{now}.input_projection", "MatMul", [x, W])
    if not direction.config.bias:
        return z
    b = outer.constant(f"{at}.b", direction.packed("bias_ih", gates) + direction.packed("bias_hh", gates))
    return step.add(f"{now}.input_bias", "Add", [z, b])


def take_or_keep(
    step: Nodes, outer: Nodes, direction: Direction, start: Start, z: ir.Value
) -> tuple[ir.Value, ir.Value, ir.Value]:
    """Add the nodes of a step: h and c (B, H), z (B, 4H) -> h', c' and y (B, H), which is yet to be cut.

    Rows that have ended keep h and c.
    """
    h, c = take(step, outer, direction, (start.h, start.c), z)
    if start.ends is None:
        return h, c, h
    now, goes_on = direction.now, start.ends
    kept = [
        ends.keep(step, f"{now}.{name}_kept", goes_on, *values)
        for name, *values in (("h", h, start.h), ("c", c, start.c))
    ]
    return kept[0], kept[1], h


def take(
    step: Nodes, outer: Nodes, direction: Direction, state: tuple[ir.Value, ir.Value], z: ir.Value
) -> tuple[ir.Value, ir.Value]:
    """Add the nodes of a step: h and c (B, H), z (B, 4H) -> h', c'; its tensors stand in the graph around it."""
    at, now, (h, c) = direction.at, direction.now, state
    seen = step.add(f"{now}.h_and_c", "Concat", [h, c], axis=-1) if direction.config.peephole == "full" else h
    R = outer.constant(f"{at}.R", _recurrent_matrix(direction))
    gates = step.add(f"{now}.recurrence", "Gemm", [seen, R, z])
    cell = _diagonal_cell if direction.config.peephole == "diagonal" else _plain_cell
    o, c_next = cell(step, outer, direction, gates, c)
    squashed = step.add(f"{now}.tanh_c", "Tanh", [c_next])
    return step.add(f"{now}.h_next", "Mul", [o, squashed]), c_next


def _recurrent_matrix(direction: Direction) -> Floats:
    """U (H, 4H), or U over P (2H, 4H) for full peepholes."""
    kinds = ("weight_hh", "weight_ch") if direction.config.peephole == "full" else ("weight_hh",)
    gates = order(TORCH_GATES, SCAN_GATES)
    return np.concatenate([direction.packed(kind, gates) for kind in kinds], axis=1).T


def _plain_cell(
    step: Nodes, outer: Nodes, direction: Direction, gates: ir.Value, c: ir.Value
) -> tuple[ir.Value, ir.Value]:
    """No gate waits for c': gates (B, 4H) before σ and tanh, c (B, H) -> o, c'."""
    at, now, H = direction.at, direction.now, direction.config.hidden_size
    sizes = outer.constant(f"{at}.ifo_and_g", np.array([3 * H, H]))
    ifo, g = step.add_many(f"{now}.split", "Split", [gates, sizes], outputs=[f"{now}.ifo", f"{now}.g"], axis=-1)
    opened = step.add(f"{now}.sigmoid", "Sigmoid", [ifo])
    names = [f"{now}.{gate}" for gate in SCAN_GATES[:3]]
    i, f, o = step.add_many(f"{now}.split_ifo", "Split", [opened], outputs=names, axis=-1, num_outputs=3)
    return o, _next_cell(step, now, (i, f, g), c)


def _diagonal_cell(
    step: Nodes, outer: Nodes, direction: Direction, gates: ir.Value, c: ir.Value
) -> tuple[ir.Value, ir.Value]:
    """Gate o waits for c': gates (B, 4H) before σ and tanh, c (B, H) -> o, c'."""
    at, now = direction.at, direction.now
    names = [f"{now}.{gate}_in" for gate in SCAN_GATES]
    i, f, o, g = step.add_many(f"{now}.split", "Split", [gates], outputs=names, axis=-1, num_outputs=4)
    peepholes = direction.packed("weight_ch", order(TORCH_PEEPHOLES, SCAN_GATES[:3]))
    p = dict(zip(SCAN_GATES[:3], np.split(peepholes, 3), strict=True))

    def opened(gate: str, value: ir.Value, cell: ir.Value) -> ir.Value:
        weight = outer.constant(f"{at}.p_{gate}", p[gate])
        peep = step.add(f"{now}.peep_{gate}", "Mul", [cell, weight])
        return step.add(f"{now}.{gate}", "Sigmoid", [step.add(f"{now}.{gate}_sum", "Add", [value, peep])])

    c_next = _next_cell(step, now, (opened("i", i, c), opened("f", f, c), g), c)
    return opened("o", o, c_next), c_next


def _next_cell(step: Nodes, now: str, gates: tuple[ir.Value, ir.Value, ir.Value], c: ir.Value) -> ir.Value:
    """Keep and add: c' = f ⊙ c + i ⊙ tanh(g)."""
    i, f, g = gates
    kept = step.add(f"{now}.kept", "Mul", [f, c])
    candidate = step.add(f"{now}.tanh_g", "Tanh", [g])
    added = step.add(f"{now}.added", "Mul", [i, candidate])
    return step.add(f"{now}.c_next", "Add", [kept, added])
