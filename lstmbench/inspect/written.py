"""Recurrences written out in nodes: the bodies of Scan and Loop, and chains of steps without a node of their own."""

import onnx_ir as ir

from lstmbench.inspect import cell, sizes
from lstmbench.inspect.cell import Sums
from lstmbench.inspect.flow import Flow, Place, bodies, name_of
from lstmbench.inspect.inspection import Recurrence, State
from lstmbench.inspect.states import state
from lstmbench.inspect.steps import Step, find, parts, unmoved
from lstmbench.inspect.tensors import Constants, shape

LOOPS = frozenset({"Scan", "Loop"})


def loops(flow: Flow, constants: Constants, place: Place) -> list[Recurrence]:
    """One row a Scan or Loop of one graph."""
    return [_loop(flow, constants, place, node) for node in place.nodes if node.op_type in LOOPS]


def chains(flow: Flow, constants: Constants, place: Place) -> list[Recurrence]:
    """One row a chain of steps that stand in a graph itself; in the body of a loop they are the loop's own."""
    return [_chain(flow, constants, place, chain) for chain in _linked(find(place.nodes))]


def _linked(steps: list[Step]) -> list[list[Step]]:
    """Steps of which each takes the c' of the last."""
    found: list[list[Step]] = []
    by_last: dict[ir.Value, list[Step]] = {}
    for step in steps:
        chain = next((by_last.pop(value) for value in unmoved(step.c) if value in by_last), None)
        if chain is None:
            chain = []
            found.append(chain)
        chain.append(step)
        by_last[step.c_next] = chain
    return found


def _chain(flow: Flow, constants: Constants, place: Place, chain: list[Step]) -> Recurrence:
    first, last = chain[0], chain[-1]
    sums = cell.sums(flow, first)
    kind, why = cell.tell(cell.sums(flow, last), last, constants)
    c = state(flow, constants, "c", first.c, last.c_next)
    h = state(flow, constants, "h", _h_before(flow, first, sums), last.h_next)
    inputs, hidden = sizes.of(first, sums)
    node = last.c_next.producer()
    return Recurrence(
        name=name_of(node) if node is not None else "steps",
        operator="steps",
        cell=kind,
        why=why,
        direction="reverse" if _when(constants, sums) > _when(constants, cell.sums(flow, last)) else "forward",
        input_size=inputs,
        hidden_size=hidden,
        steps=len(chain),
        states=(h, c),
        where=place.where,
    )


def _when(constants: Constants, sums: Sums) -> int:
    """Which row of the sequence a step takes; 0 where it picks none."""
    rows = [node.inputs[1] for node in sums.passed if node.op_type == "Gather"]
    picked = [constants.array(row) for row in rows if row is not None]
    return next((int(row.item()) for row in picked if row is not None and row.size == 1), 0)


def _h_before(flow: Flow, step: Step, sums: Sums) -> ir.Value | None:
    """Of what the gates' products take, the one that starts as c does: of c's shape, not c, not features."""
    candidates = [
        part for product in sums.products for part in parts(product.data) if not unmoved(part) & unmoved(step.c)
    ]
    c_shapes = {shape(value) for value in flow.origins(step.c)}
    alike = [
        v
        for v in candidates
        if {shape(o) for o in flow.origins(v)} & c_shapes and flow.origins(v) != flow.origins(step.c)
    ]
    return next(iter(alike), None)


def _loop(flow: Flow, constants: Constants, place: Place, node: ir.Node) -> Recurrence:
    body = next(bodies(node), None)
    steps = [] if body is None else find(body)
    sums = [cell.sums(flow, step) for step in steps]
    told = [cell.tell(each, step, constants) for each, step in zip(sums, steps, strict=True)]
    kinds = {kind for kind, _ in told}
    inputs, hidden = sizes.of(steps[0], sums[0]) if steps else (None, None)
    return Recurrence(
        name=name_of(node),
        operator=node.op_type,
        cell=told[0][0] if len(kinds) == 1 else None,
        why=told[0][1] if len(kinds) == 1 else "cells of several kinds" if kinds else "the body is no LSTM's step",
        direction=_direction(constants, node, sums),
        input_size=inputs,
        hidden_size=hidden,
        steps=_count(constants, node),
        layers=max(1, len(_linked(steps))),
        states=() if body is None else tuple(_states(flow, constants, node, body, steps)),
        where=place.where,
    )


def _states(flow: Flow, constants: Constants, node: ir.Node, body: ir.Graph, steps: list[Step]) -> list[State]:
    """Those that the body changes; a weight handed round is none."""
    scanned = node.attributes.get("num_scan_inputs")
    front = 2 if node.op_type == "Loop" else 0
    count = len(body.inputs) - front - (scanned.as_int() if scanned is not None else 0)
    leaving = list(body.outputs)[front // 2 :]
    found = []
    for inner, after, out in list(zip(body.inputs[front:], leaving, node.outputs, strict=False))[: max(0, count)]:
        if inner not in unmoved(after):
            found.append(state(flow, constants, _letter(inner, after, steps), flow.entries.get(inner), out))
    return found


def _letter(inner: ir.Value, after: ir.Value, steps: list[Step]) -> str:
    if any(inner in unmoved(step.c) for step in steps):
        return "c"
    if any(step.h_next in unmoved(after) for step in steps):
        return "h"
    return inner.name or "?"


def _count(constants: Constants, node: ir.Node) -> int | None:
    """How often a Loop runs, where that is written into the graph."""
    trips = node.inputs[0] if node.op_type == "Loop" and node.inputs else None
    held = None if trips is None else constants.array(trips)
    return int(held.item()) if held is not None and held.size == 1 and held.item() < 2**62 else None


def _direction(constants: Constants, node: ir.Node, sums: list[Sums]) -> str:
    held = node.attributes.get("scan_input_directions")
    scanned = held is not None and any(held.as_ints())
    return "reverse" if scanned or any(sizes.turned(constants, each) for each in sums[:1]) else "forward"
