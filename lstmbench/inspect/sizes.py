"""E, H and the direction of a step that is written out in nodes."""

import numpy as np
import onnx_ir as ir

from lstmbench.inspect.cell import Product, Sums
from lstmbench.inspect.flow import RESHAPES, SELECTS, moved
from lstmbench.inspect.steps import Step, parts, unmoved
from lstmbench.inspect.tensors import Constants, number, shape

_LIKE = frozenset({"Cast", "DequantizeLinear", "Identity"})


def of(step: Step, sums: Sums) -> tuple[int | None, int | None]:
    """E and H; None where the graph does not say."""
    cells = unmoved(step.c) | {step.c_next}
    sized = [(product, size) for product in sums.products if (size := _matrix(product)) is not None]
    widths = [dims[-1] for value in cells if (dims := shape(value))]
    hidden = next((width for width in widths if isinstance(width, int)), None)
    if hidden is None:
        hidden = next((columns // 4 for _, (_, columns) in sized if columns % 4 == 0), None)
    return (None, None) if hidden is None else (_inputs(hidden, cells, sized), hidden)


def _inputs(H: int, cells: set[ir.Value], sized: list[tuple[Product, tuple[int, int]]]) -> int | None:
    """E: all matrices but those on c hold (E + H)·4H elements, in one product or in several."""
    elements, columns = 0, 0
    for product, (K, N) in sized:
        joined = parts(product.data)
        seen = sum(bool(unmoved(part) & cells) for part in joined)
        if seen < len(joined):
            elements, columns = elements + (K - seen * H) * N, columns + N
    if not H or columns not in {4 * H, 8 * H} or elements % (4 * H):
        return None  # another number of gates, or a product that cannot be read
    return elements // (4 * H) - H or None


def _matrix(product: Product) -> tuple[int, int] | None:
    """What a product takes and what it gives, (K, N)."""
    if product.node.op_type == "MatMulNBits":
        return number(product.node, "K", 0), number(product.node, "N", 0)
    value, turned = product.matrix, bool(number(product.node, "transB", 0))
    turned ^= value is not None and value is product.node.inputs[0]
    while value is not None and (node := value.producer()) is not None and node.op_type in _LIKE | {"Transpose"}:
        turned ^= node.op_type == "Transpose"
        value = node.inputs[0]
    dims = shape(value)
    if dims is None or len(dims) != 2 or not isinstance(dims[0], int) or not isinstance(dims[1], int):
        return None
    return (dims[1], dims[0]) if turned else (dims[0], dims[1])


def turned(constants: Constants, sums: Sums) -> bool:
    """Whether what the steps take, one after the other, was turned around before."""
    return any(_turns(constants, node) for node in sums.passed) or any(
        _turns(constants, node) for product in sums.products for node in _moves(product.data)
    )


def _moves(value: ir.Value | None) -> list[ir.Node]:
    """The nodes that moved a value before it was multiplied."""
    found: list[ir.Node] = []
    while value is not None and (node := value.producer()) is not None and node.op_type in RESHAPES | SELECTS:
        found.append(node)
        value = next(iter(moved(node)), None)
    return found


def _turns(constants: Constants, node: ir.Node) -> bool:
    if node.op_type == "ReverseSequence":
        return True
    strides = node.inputs[4] if node.op_type == "Slice" and len(node.inputs) > 4 else None
    held = None if strides is None else constants.array(strides)
    return held is not None and bool(np.any(held < 0))
