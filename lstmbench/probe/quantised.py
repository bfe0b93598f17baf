"""Products of a step: in floats, or of integers as ONNX Runtime's and ONNX's own operators have them."""

from typing import Literal, TypeAlias

import onnx_ir as ir

from lstmbench.mistakes import Array
from lstmbench.model.rounding import Codes, codes_of
from lstmbench.probe.nodes import MICROSOFT, Nodes

Product: TypeAlias = Literal["MatMul", "DynamicQuantizeMatMul", "MatMulInteger"]


def codes(matrix: Array) -> Codes:
    """A matrix (N, K) in int8, a scale a row."""
    return codes_of(matrix, "int8")


def multiply(body: Nodes, outer: Nodes, kind: Product, x: ir.Value, weights: tuple[str, Array], name: str) -> ir.Value:
    """Multiply x (B, K) by a matrix (N, K) that is kept, by its name, in the outer graph -> (B, N)."""
    key, matrix = weights
    if kind == "MatMul":
        return body.add("MatMul", [x, outer.constant(f"{key}_turned", matrix.T)], name)
    stored = codes(matrix)
    integers, scales = (
        outer.constant(f"{key}_codes", stored.codes.T),
        outer.constant(f"{key}_scales", stored.scales[:, 0]),
    )
    if kind == "DynamicQuantizeMatMul":
        return body.add(kind, [x, integers, scales], name, domain=MICROSOFT)
    x_codes, x_scale, x_zero = body.add_many("DynamicQuantizeLinear", [x], f"{name}_x", outputs=3)
    product = body.add("MatMulInteger", [x_codes, integers, x_zero], f"{name}_integers")
    floats = body.add("Cast", [product], f"{name}_floats", to=int(ir.DataType.FLOAT))
    return body.add("Mul", [floats, body.add("Mul", [x_scale, scales], f"{name}_scale")], name)
