"""Writing a graph down node by node, with onnx_ir; every node has a name, by which placement and profiles match it."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import onnx_ir as ir
from numpy.typing import NDArray

from lstmbench.export.opset import IR_VERSIONS, NEWEST

MICROSOFT = "com.microsoft"  # ONNX Runtime's own operators
OPSET, IR_VERSION = NEWEST, IR_VERSIONS[NEWEST]  # what runtimes of the last two years load (ONNX Runtime from 1.20)


class Layer(NamedTuple):
    """What a layer hands on: its output, and its rows of h and c, to be joined with those of the other layers."""

    y: ir.Value  # (T, B, D·H)
    h: list[ir.Value]
    c: list[ir.Value]


class Start(NamedTuple):
    """What a layer starts from, and where its rows end."""

    h: ir.Value  # (D·L, B, H), of one direction (B, H)
    c: ir.Value
    ends: ir.Value | None  # form `lstm`: lengths (B,); the others: which rows go on, (T, B, 1); None: all end at T


class Nodes:
    """The nodes and constants of one graph, in the order in which they are added."""

    def __init__(self) -> None:
        self._nodes: list[ir.Node] = []
        self._constants: dict[str, ir.Value] = {}

    def add(self, name: str, operator: str, inputs: Sequence[ir.Value | None], **attributes: Any) -> ir.Value:
        """Add a node with one output, which has the node's name."""
        (output,) = self.add_many(name, operator, inputs, outputs=[name], **attributes)
        return output

    def add_many(
        self, name: str, operator: str, inputs: Sequence[ir.Value | None], *, outputs: Sequence[str], **attributes: Any
    ) -> list[ir.Value]:
        """Add a node whose outputs have the given names; None stands for an optional input that is left out."""
        node = ir.node(operator, inputs, attributes, outputs=[ir.val(output) for output in outputs], name=name)
        self._nodes.append(node)
        return list(node.outputs)

    def constant(self, name: str, array: NDArray[Any]) -> ir.Value:
        """A tensor that the file carries, once: whoever asks for its name again gets the same one."""
        if name not in self._constants:
            tensor = ir.Tensor(np.asarray(array, order="C"), name=name)
            self._constants[name] = ir.val(name, const_value=tensor)
        return self._constants[name]

    def join(self, name: str, parts: Sequence[ir.Value], *, axis: int) -> ir.Value:
        """Concatenate, or hand on the only part."""
        return parts[0] if len(parts) == 1 else self.add(name, "Concat", parts, axis=axis)

    def graph(self, name: str, inputs: Sequence[ir.Value], outputs: Sequence[ir.Value]) -> ir.Graph:
        """Close the graph."""
        constants = list(self._constants.values())
        return ir.Graph(
            inputs, outputs, nodes=self._nodes, initializers=constants, opset_imports={"": OPSET}, name=name
        )


def floats(name: str, shape: Sequence[int | str]) -> ir.Value:
    """A float32 value; a dimension that has a name stays open."""
    return ir.val(name, ir.DataType.FLOAT, shape)


def declare(value: ir.Value, name: str, shape: Sequence[int | str]) -> ir.Value:
    """Make a node's output, float32, an output of the graph."""
    value.name, value.dtype, value.shape = name, ir.DataType.FLOAT, ir.Shape(shape)
    return value
