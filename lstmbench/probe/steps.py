"""One step of the operator in simple nodes, and T of them written out."""

from typing import NamedTuple

import numpy as np
import onnx_ir as ir

from lstmbench.mistakes import Case
from lstmbench.model.gates import ONNX_PEEPHOLES
from lstmbench.probe.nodes import Nodes
from lstmbench.probe.quantised import Product, multiply


class Step(NamedTuple):
    """Where a step is written."""

    body: Nodes  # its nodes
    outer: Nodes  # its constants, which a body sees
    case: Case
    at: str = "step"  # what its names begin with
    kind: Product = "MatMul"

    def write(self, x: ir.Value, h: ir.Value, c: ir.Value) -> tuple[ir.Value, ir.Value]:
        """Add it: x (B, E), h and c (B, H) -> h, c."""
        add, at = self.body.add, self.at
        z = add(
            "Add", [add("Add", [self._times(x, "W"), self._times(h, "R")], f"{at}_products"), self._bias()], f"{at}_z"
        )
        i, o, f, g = self.body.add_many("Split", [z], f"{at}_gates", outputs=4, axis=1, num_outputs=4)
        i, f = (add("Sigmoid", [self._peeping(n, v, c)], f"{at}_{n}") for n, v in (("i", i), ("f", f)))
        new = add("Mul", [i, add("Tanh", [g], f"{at}_g")], f"{at}_new")
        c = add("Add", [add("Mul", [f, c], f"{at}_kept"), new], f"{at}_c")
        o = add("Sigmoid", [self._peeping("o", o, c)], f"{at}_o")
        return add("Mul", [o, add("Tanh", [c], f"{at}_squashed")], f"{at}_h"), c

    def _times(self, x: ir.Value, name: str) -> ir.Value:
        weights = (name, self.case.tensors[name][0])
        return multiply(self.body, self.outer, self.kind, x, weights, f"{self.at}_times_{name}")

    def _bias(self) -> ir.Value:
        Wb, Rb = np.split(self.case.tensors["B"][0], 2)
        return self.outer.constant("bias", Wb + Rb)

    def _peeping(self, gate: str, z: ir.Value, c: ir.Value) -> ir.Value:
        if not self.case.has("P"):
            return z
        P = self.case.tensors["P"].reshape(3, -1)[ONNX_PEEPHOLES.index(gate)]
        seen = self.body.add("Mul", [c, self.outer.constant(f"P_{gate}", P)], f"{self.at}_{gate}_sees")
        return self.body.add("Add", [z, seen], f"{self.at}_{gate}_z")


def written_out(nodes: Nodes, case: Case, inputs: dict[str, ir.Value], kind: Product) -> list[ir.Value]:
    """T steps, one after another -> Y (T, 1, B, H), Y_h and Y_c (1, B, H)."""
    h, c = enter(nodes, inputs)
    outputs = []
    for t in range(len(case.tensors["X"])):
        x = nodes.add("Gather", [inputs["X"], nodes.constant(f"t{t}", np.array(t))], f"x{t}", axis=0)
        h, c = Step(nodes, nodes, case, f"step{t}", kind).write(x, h, c)
        outputs.append(nodes.add("Unsqueeze", [h, _axis(nodes, 0)], f"y{t}"))
    return leave(nodes, nodes.add("Concat", outputs, "together", axis=0), h, c)


def enter(nodes: Nodes, inputs: dict[str, ir.Value]) -> tuple[ir.Value, ir.Value]:
    """The states (1, B, H) -> h, c (B, H)."""
    h, c = (nodes.add("Squeeze", [inputs[name], _axis(nodes, 0)], name[-1]) for name in ("initial_h", "initial_c"))
    return h, c


def leave(nodes: Nodes, y: ir.Value, h: ir.Value, c: ir.Value) -> list[ir.Value]:
    """What came out, (T, B, H) and twice (B, H) -> Y (T, 1, B, H), Y_h and Y_c (1, B, H)."""
    named = (("all_steps", y, 1), ("last_h", h, 0), ("last_c", c, 0))
    return [nodes.add("Unsqueeze", [value, _axis(nodes, axis)], name) for name, value, axis in named]


def _axis(nodes: Nodes, axis: int) -> ir.Value:
    return nodes.constant(f"axis{axis}", np.array([axis]))
