"""Steps of an LSTM that are written out in nodes: c' = f ⊙ c + i ⊙ g and h' = o ⊙ tanh(c'), wherever they stand."""

from collections.abc import Iterable
from typing import NamedTuple

import onnx_ir as ir

from lstmbench.inspect.flow import MOVES, RESHAPES, moved

_OPENS = frozenset({"Sigmoid", "HardSigmoid"})
_MOST_IN_A_ROW = 100  # nodes that move one value: more are no exporter's
_MOST_PARTS = 100  # that one Concat after the other puts together
_SQUASHES = frozenset(["Tanh", "Softsign", "Relu", "LeakyRelu", "Elu", "ThresholdedRelu"])


class Step(NamedTuple):
    """The values of one step."""

    c: ir.Value
    c_next: ir.Value
    h_next: ir.Value
    gates: tuple[ir.Node, ...]  # the activations of f, i, g and o


class _Product(NamedTuple):
    """Gate ⊙ what it lets through."""

    gate: ir.Node
    through: ir.Value


def find(nodes: Iterable[ir.Node]) -> list[Step]:
    """Every step among the nodes of one graph, bodies not entered."""
    found = (_step(node) for node in nodes if node.op_type in {"Add", "Sum"} and len(node.inputs) == 2)
    return [step for step in found if step is not None]


def unmoved(value: ir.Value) -> set[ir.Value]:
    """A value and what it was before its shape or type changed, or rows that have ended were held back.

    Never what it was cut from or put together of.
    """
    seen = {value}
    while (before := _before(value)) is not None and len(seen) < _MOST_IN_A_ROW:
        value = before
        seen.add(value)
    return seen


def _before(value: ir.Value) -> ir.Value | None:
    node = value.producer()
    if node is None or node.op_type not in RESHAPES | {"Where"}:
        return None
    if node.op_type == "Where":  # of old and new, the new one is computed
        return next((v for v in node.inputs[1:] if v is not None and v.producer() is not None), None)
    return node.inputs[0]


def parts(value: ir.Value) -> list[ir.Value]:
    """What a value was put together of, by Concat, in order; itself if it was not."""
    found, waiting = list[ir.Value](), [value]
    while waiting:
        if len(found) + len(waiting) > _MOST_PARTS:  # joined with itself again and again: no input of a gate
            return [value]
        last = waiting.pop()
        joins = [node for v in unmoved(last) if (node := v.producer()) is not None and node.op_type == "Concat"]
        if joins:
            waiting += reversed(moved(joins[0]))
        else:
            found.append(last)
    return found


def _step(node: ir.Node) -> Step | None:
    """The step whose c' a node adds up, if it does."""
    pair = [_product(value) for value in node.inputs]
    for kept, added in (pair, pair[::-1]):
        if kept is None or added is None:
            continue
        squash, output = _activation(added.through, _SQUASHES), _output(node.outputs[0])
        if squash is not None and output is not None and _activation(kept.through, _SQUASHES | _OPENS) is None:
            gates = (kept.gate, added.gate, squash, output.gate)
            return Step(kept.through, node.outputs[0], output.through, gates)
    return None


def _product(value: ir.Value | None) -> _Product | None:
    """Of the two factors, which is the gate."""
    for v in () if value is None else unmoved(value):
        node = v.producer()
        if node is not None and node.op_type == "Mul":
            return _gated(node)
    return None


def _gated(node: ir.Node) -> _Product | None:
    for gate, through in (node.inputs, reversed(node.inputs)):
        if gate is not None and through is not None and (opens := _gate(gate)) is not None:
            return _Product(opens, through)
    return None


def _gate(value: ir.Value) -> ir.Node | None:
    """The σ that made a value; of coupled gates, 1 - σ, the σ."""
    node = value.producer()
    if node is not None and node.op_type == "Sub" and node.inputs[1] is not None:
        value = node.inputs[1]
    return _activation(value, _OPENS)


def _activation(value: ir.Value, kinds: frozenset[str]) -> ir.Node | None:
    """The activation that made a value, from whose output it may have been cut."""
    node = value.producer()
    for _ in range(_MOST_IN_A_ROW):
        if node is None or node.op_type not in MOVES or node.op_type == "Concat" or node.inputs[0] is None:
            break
        node = node.inputs[0].producer()
    return node if node is not None and node.op_type in kinds else None


def _output(c_next: ir.Value) -> _Product | None:
    """The gate o, and h' = o ⊙ tanh(c')."""
    seen, waiting = set[ir.Value](), [c_next]
    while waiting:
        value = waiting.pop()
        if value in seen:
            continue
        seen.add(value)
        for node, _ in value.uses():
            if node.op_type in _SQUASHES:
                for product, _ in node.outputs[0].uses():
                    if product.op_type == "Mul" and (o := _gated(product)) is not None:
                        return _Product(o.gate, product.outputs[0])
            elif node.op_type in RESHAPES:
                waiting.append(node.outputs[0])
    return None
