"""What the constants of a graph hold: whether one is all zero, the types of all, and hence the precision."""

import math
from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path

import numpy as np
import onnx_ir as ir

from lstmbench.arrays import Floats
from lstmbench.inspect.flow import Flow, constant
from lstmbench.inspect.inspection import Parameters
from lstmbench.onnxfile import external

_READ_BYTES = 2**30  # of all constants; which cell it is, is decided by a few of them
_FLOATS = {"FLOAT": "fp32", "FLOAT16": "fp16", "BFLOAT16": "bf16", "DOUBLE": "fp64"}
_INT8_NODES = frozenset(
    ["DynamicQuantizeLSTM", "DynamicQuantizeMatMul", "MatMulInteger", "MatMulIntegerToFloat", "QLinearMatMul", "QGemm"]
)
_WHOLE = {"INT8": "int8", "UINT8": "int8", "INT4": "int4", "UINT4": "int4"}


class Constants:
    """The constants of one model, read from the file, from files beside it, or from its nodes.

    Not all that a file claims to hold is read: after a gigabyte no more is told.
    """

    def __init__(self, flow: Flow, folder: Path) -> None:
        self._flow, self._folder = flow, folder
        self._left_bytes = _READ_BYTES

    def array(self, value: ir.Value) -> Floats | None:
        """The values of a constant; None if it is none, or its bytes are not there."""
        tensor = _tensor(value)
        if tensor is None or (size := _bytes(tensor)) > self._left_bytes:
            return None
        self._left_bytes -= size
        return external.array(self._folder, tensor)

    def is_constant(self, value: ir.Value) -> bool:
        """Whether a value is one that the file holds, moved or not."""
        return all(_tensor(v) is not None or _fill(v) is not None for v in self._flow.origins(value))

    def all_zero(self, value: ir.Value) -> bool | None:
        """Whether every element is 0, however it was moved; None if that cannot be read."""
        answers = [self._zero(origin) for origin in self._flow.origins(value)]
        if False in answers:
            return False
        return None if None in answers else True

    def _zero(self, value: ir.Value) -> bool | None:
        fill = _fill(value)
        array = fill if fill is not None else self.array(value)
        return None if array is None else not np.count_nonzero(array)


def shape(value: ir.Value | None) -> tuple[int | str | None, ...] | None:
    """A value's shape as far as it is known: from its tensor, or as declared."""
    if value is None:
        return None
    tensor = _tensor(value)
    dims = tensor.shape if tensor is not None else value.shape
    return None if dims is None else tuple(dim if isinstance(dim, int) else dim.value for dim in dims)


def parameters(tensors: Iterable[ir.TensorProtocol]) -> tuple[Parameters, ...]:
    """The constants by type, those with the most bytes first."""
    by_type: dict[str, list[ir.TensorProtocol]] = defaultdict(list)
    for tensor in tensors:
        by_type[tensor.dtype.name.lower()].append(tensor)
    rows = [
        Parameters(
            dtype=dtype, tensors=len(held), elements=sum(map(_elements, held)), size_bytes=sum(map(_bytes, held))
        )
        for dtype, held in by_type.items()
    ]
    return tuple(sorted(rows, key=lambda row: (-row.size_bytes, row.dtype)))


def precision(nodes: Iterable[ir.Node], tensors: Iterable[ir.TensorProtocol]) -> str | None:
    """Fp32, fp16, bf16, fp64, int8, int4 or int4a8: by the nodes that multiply whole numbers, else by most bytes."""
    every = list(nodes)
    four = [node for node in every if node.op_type == "MatMulNBits"]
    if four:
        bits = {number(node, "bits", 4) for node in four}
        activations = "a8" if all(number(node, "accuracy_level", 0) == 4 for node in four) else ""
        return "/".join(f"int{n}" for n in sorted(bits)) + activations
    if any(node.op_type in _INT8_NODES for node in every):
        return "int8"
    named = _FLOATS | _WHOLE
    rows = [row.dtype.upper() for row in parameters(tensors) if row.dtype.upper() in named]
    return named[rows[0]] if rows else None


def number(node: ir.Node, name: str, default: int) -> int:
    """An integer attribute."""
    held = node.attributes.get(name)
    return held.as_int() if held is not None and held.type == ir.AttributeType.INT else default


def _tensor(value: ir.Value) -> ir.TensorProtocol | None:
    if value.const_value is not None and value.is_initializer():
        return value.const_value
    node = value.producer()
    return constant(node) if node is not None and node.op_type == "Constant" else None


def _fill(value: ir.Value) -> Floats | None:
    """What ConstantOfShape repeats; 0 if nothing is said."""
    node = value.producer()
    if node is None or node.op_type != "ConstantOfShape":
        return None
    held = constant(node)
    return np.zeros(1, np.float32) if held is None else np.asarray(held.numpy())


def _elements(tensor: ir.TensorProtocol) -> int:
    return math.prod(max(0, dim) for dim in tensor.shape.numpy())


def _bytes(tensor: ir.TensorProtocol) -> int:
    return 0 if tensor.dtype == ir.DataType.STRING else math.ceil(_elements(tensor) * tensor.dtype.itemsize)
