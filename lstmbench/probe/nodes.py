"""Writing a graph down node by node, with onnx_ir."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import onnx_ir as ir

from lstmbench.mistakes import Array

MICROSOFT = "com.microsoft"  # ONNX Runtime's own operators


class Nodes:
    """The nodes and constants of one graph; a node's name is that of its first output."""

    def __init__(self) -> None:
        self._nodes: list[ir.Node] = []
        self._constants: dict[str, ir.Value] = {}
        self.foreign = False  # whether an operator is none of ONNX's

    def add(self, operator: str, inputs: Sequence[ir.Value | None], name: str, **attributes: Any) -> ir.Value:
        """A node with one output."""
        return self.add_many(operator, inputs, name, outputs=1, **attributes)[0]

    def add_many(
        self,
        operator: str,
        inputs: Sequence[ir.Value | None],
        name: str,
        *,
        outputs: int,
        domain: str = "",
        **attributes: Any,
    ) -> list[ir.Value]:
        """A node; None stands for an input that is left out."""
        values = [ir.val(f"{name}_{n}" if n else name) for n in range(outputs)]
        self._nodes.append(ir.node(operator, inputs, attributes, domain=domain, outputs=values, name=name))
        self.foreign = self.foreign or bool(domain)
        return values

    def constant(self, name: str, array: Array) -> ir.Value:
        """A tensor that the file carries, once."""
        if name not in self._constants:
            self._constants[name] = ir.val(name, const_value=ir.Tensor(np.asarray(array, order="C"), name=name))
        return self._constants[name]

    def graph(
        self, name: str, inputs: Sequence[ir.Value], outputs: Sequence[ir.Value], domains: Mapping[str, int]
    ) -> ir.Graph:
        """Close the graph."""
        constants = list(self._constants.values())
        return ir.Graph(
            inputs, outputs, nodes=self._nodes, initializers=constants, opset_imports=dict(domains), name=name
        )
