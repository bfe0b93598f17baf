"""Which cell a step is: what its gates add up, back to the products with matrices and vectors."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import onnx_ir as ir

from lstmbench.inspect.flow import MOVES, Flow, held, moved
from lstmbench.inspect.steps import Step, parts, unmoved
from lstmbench.inspect.tensors import Constants, shape
from lstmbench.records import Peephole

_PRODUCTS = frozenset(
    [
        "Einsum",
        "FusedMatMul",
        "Gemm",
        "MatMul",
        "MatMulInteger",
        "MatMulIntegerToFloat",
        "MatMulNBits",
        "DynamicQuantizeMatMul",
        "QGemm",
        "QLinearMatMul",
    ]
)
_PASSES = frozenset(["Add", "Sum", "Sub", "Div", "LayerNormalization", "Mul", "ReverseSequence"])


class Product(NamedTuple):
    """A vector times a matrix, in the sum before a gate."""

    data: ir.Value
    matrix: ir.Value | None
    node: ir.Node


class Sums(NamedTuple):
    """What the gates of a step add up."""

    products: list[Product]
    scaled: list[tuple[ir.Value, ir.Value]]  # the two factors of each elementwise product
    passed: list[ir.Node]  # what stands between


def sums(flow: Flow, step: Step) -> Sums:
    """Walk back from the activations, out of bodies too, as far as products and c."""
    found, seen = Sums([], [], []), unmoved(step.c) | {step.c_next}
    waiting = [node.inputs[0] for node in step.gates]
    while waiting:
        value = waiting.pop()
        if value is not None and value not in seen:
            flow.follow()
            seen.add(value)
            node = value.producer()
            if node is not None and node.op_type == "DynamicQuantizeLinear" and value is not node.outputs[0]:
                continue  # a scale is no part of the sum
            waiting += [flow.entries.get(value)] if node is None else _behind(node, found)
    return found


def _behind(node: ir.Node, found: Sums) -> Sequence[ir.Value | None]:
    """Note what a node is; the inputs to walk on from."""
    found.passed.append(node)
    if node.op_type in _PRODUCTS:
        if (product := _product(node)) is not None:
            found.products.append(product)
        return node.inputs[2:3] if node.op_type == "Gemm" else ()
    if node.op_type == "Mul":
        factors = [factor for factor in node.inputs if factor is not None]
        if len(factors) == 2:
            found.scaled.append((factors[0], factors[1]))
    return node.inputs if node.op_type in _PASSES else moved(node) if node.op_type in MOVES else ()


def _product(node: ir.Node) -> Product | None:
    a, b = node.inputs[0], node.inputs[1] if len(node.inputs) > 1 else None
    matrix_first = node.op_type in {"MatMul", "Gemm"} and held(a)
    data, matrix = (b, a) if matrix_first else (a, b)
    return None if data is None else Product(data, matrix, node)


def tell(found: Sums, step: Step, constants: Constants) -> tuple[Peephole, str]:
    """The cell, and what it was told by."""
    old, new = unmoved(step.c), {step.c_next}
    seeing = [product for product in found.products if _sees(product.data, old | new)]
    if seeing:
        if all(_zero_rows(product, old | new, constants) for product in seeing):
            return "none", "c times a matrix of zeros"
        return "full", "c times a matrix"
    peeps = [peep for peep in (_peephole(a, b, old, new) for a, b in found.scaled) if peep is not None]
    if not peeps:
        return "none", "no gate sees c"
    if all(constants.all_zero(vector) for vector, _ in peeps):
        return "none", "c times vectors of zeros"
    if not any(sees_new for _, sees_new in peeps):
        return "diagonal", "c times vectors; no gate sees the new c, unlike in ONNX's P"
    return "diagonal", "c times vectors"


def _sees(data: ir.Value, cells: set[ir.Value]) -> bool:
    return any(unmoved(part) & cells for part in parts(data))


def _peephole(a: ir.Value, b: ir.Value, old: set[ir.Value], new: set[ir.Value]) -> tuple[ir.Value, bool] | None:
    """The vector that c is multiplied by, and whether c is the new one; a scalar is no peephole."""
    for cell, vector in ((a, b), (b, a)):
        if _sees(cell, old | new) and (dims := shape(vector)) != () and dims != (1,):
            return vector, _sees(cell, new)
    return None


def _zero_rows(product: Product, cells: set[ir.Value], constants: Constants) -> bool:
    """Whether all that c is multiplied by is 0, where the matrix can be read."""
    if product.matrix is None or product.node.op_type not in {"MatMul", "Gemm"}:
        return False
    joined = parts(product.data)
    if len(joined) == 1:
        return bool(constants.all_zero(product.matrix))
    matrix = constants.array(product.matrix)
    turned = product.node.attributes.get("transB")
    if matrix is None or matrix.ndim != 2:
        return False
    rows = matrix.T if turned is not None and turned.as_int() else matrix
    if len(rows) % len(joined):  # the parts differ in width
        return False
    blocks = np.split(rows, len(joined))
    return not any(np.count_nonzero(block) for part, block in zip(joined, blocks, strict=True) if unmoved(part) & cells)
