"""Following a value through nodes that only move it, and through the bodies of Scan, Loop and If."""

from collections import defaultdict, deque
from collections.abc import Iterable, Iterator
from typing import NamedTuple

import onnx_ir as ir

from lstmbench.errors import RecordError

RESHAPES = frozenset(
    [
        "Cast",
        "CastLike",
        "Clip",
        "DequantizeLinear",
        "Dropout",
        "DynamicQuantizeLinear",
        "Expand",
        "Flatten",
        "Identity",
        "QuantizeLinear",
        "Reshape",
        "Squeeze",
        "Transpose",
        "Unsqueeze",
    ]
)
SELECTS = frozenset(["Gather", "GatherND", "Slice", "Split"])
MOVES = RESHAPES | SELECTS | {"Concat", "Tile"}


_MOST_FOLLOWED = 2**22  # ten thousand unrolled steps take a tenth


class Place(NamedTuple):
    """A graph, and where it stands: the model's own, a body of a node, or a function."""

    nodes: Iterable[ir.Node]
    where: str
    owner: ir.Node | None  # whose body it is


def bodies(node: ir.Node) -> Iterator[ir.Graph]:
    """The graphs that a node holds."""
    for attribute in node.attributes.values():
        if attribute.is_ref():
            continue
        if attribute.type == ir.AttributeType.GRAPH:
            yield attribute.as_graph()
        elif attribute.type == ir.AttributeType.GRAPHS:
            yield from attribute.as_graphs()


class Flow:
    """All graphs of a model, with what enters and leaves each body.

    Following values raises RecordError where it would never end: a file can be so tangled that each leads to all.
    """

    def __init__(self, model: ir.Model) -> None:
        carried = model.graph.initializers  # which old files name among the inputs too
        self._left = _MOST_FOLLOWED
        self.inputs = [value for value in model.graph.inputs if value.name not in carried]
        self.defaulted = [value for value in model.graph.inputs if value.name in carried]
        self.outputs = list(model.graph.outputs)
        self.places: list[Place] = []
        self.tensors: list[ir.TensorProtocol] = []
        self.entries: dict[ir.Value, ir.Value] = {}  # a body's input -> the value that it starts from
        self.exits: dict[ir.Value, list[ir.Value]] = defaultdict(list)  # a body's output -> its node's outputs
        self._collect(Place(model.graph, "", None))
        self.tensors += [v.const_value for v in model.graph.initializers.values() if v.const_value is not None]
        for function in model.functions.values():
            self._collect(Place(function, f"function {function.name}", None))

    def _collect(self, start: Place) -> None:
        waiting = [start]
        while waiting:
            place = waiting.pop(0)
            self.places.append(place)
            for node in place.nodes:
                if node.op_type == "Constant" and (tensor := constant(node)) is not None:
                    self.tensors.append(tensor)
                for body in bodies(node):
                    self._link(node, body)
                    self.tensors += [v.const_value for v in body.initializers.values() if v.const_value is not None]
                    waiting.append(Place(body, name_of(node), node))

    def _link(self, node: ir.Node, body: ir.Graph) -> None:
        for inner, outer in zip(reversed(body.inputs), reversed(node.inputs), strict=False):  # Scan 8 has one in front
            if outer is not None:
                self.entries[inner] = outer
        if node.op_type == "Loop":
            for inner in body.inputs[:2]:  # the iteration's number and whether to go on are not what the node is given
                self.entries.pop(inner, None)
        leaving = list(body.outputs)[1:] if node.op_type == "Loop" else list(body.outputs)
        for inner, outer in zip(leaving, node.outputs, strict=False):
            if inner is not None:
                self.exits[inner].append(outer)

    def origins(self, value: ir.Value) -> set[ir.Value]:
        """What a value was before it was moved: graph inputs, constants, or what a node computed."""
        found, seen, waiting = set(), set[ir.Value](), [value]
        while waiting:
            value = waiting.pop()
            if value in seen:
                continue
            self.follow()
            seen.add(value)
            before = self._before(value)
            waiting += before
            if not before:
                found.add(value)
        return found

    def follow(self) -> None:
        """Count a move; RecordError after too many."""
        self._left -= 1
        if self._left < 0:
            raise RecordError(f"its graph is too tangled to be followed: {_MOST_FOLLOWED:,} moves did not do")

    def _before(self, value: ir.Value) -> list[ir.Value]:
        node = value.producer()
        if node is None:
            return [self.entries[value]] if value in self.entries else []
        return moved(node) if node.op_type in MOVES else []

    def arrivals(self, value: ir.Value) -> list[ir.Value]:
        """The graph's outputs to which a value is moved, the one with the fewest moves first."""
        seen, waiting = dict[ir.Value, None](), deque([value])
        while waiting:
            value = waiting.popleft()
            if value in seen:
                continue
            self.follow()
            seen[value] = None
            waiting += self.exits.get(value, [])
            for node, index in value.uses():
                held_back = node.op_type == "Where" and index > 0  # rows that have ended
                if held_back or (node.op_type in MOVES and (index == 0 or node.op_type == "Concat")):
                    waiting += node.outputs if node.op_type == "Split" else node.outputs[:1]
        ends = set(self.outputs)
        return [value for value in seen if value in ends]


def moved(node: ir.Node) -> list[ir.Value]:
    """Of a node that moves: the inputs that it moves, without axes and sizes; rows picked from a table are computed."""
    if node.op_type in {"Gather", "GatherND"} and held(node.inputs[0]) and not held(node.inputs[1]):
        return []
    inputs = node.inputs if node.op_type == "Concat" else node.inputs[:1]
    return [value for value in inputs if value is not None]


def held(value: ir.Value | None) -> bool:
    """Whether the file holds a value itself."""
    if value is None:
        return False
    node = value.producer()
    return value.is_initializer() or (node is not None and node.op_type == "Constant")


def constant(node: ir.Node) -> ir.TensorProtocol | None:
    """The tensor of a Constant node, if it is held as one."""
    value = node.attributes.get("value")
    return value.as_tensor() if value is not None and value.type == ir.AttributeType.TENSOR else None


def name_of(node: ir.Node) -> str:
    """A node's own name, or its first output's."""
    return node.name or next((output.name for output in node.outputs if output.name), "") or node.op_type
