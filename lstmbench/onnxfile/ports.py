"""What goes into a graph and what comes out: names, types, sizes."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any, NamedTuple, TypeAlias

import numpy as np
import onnx_ir as ir

from lstmbench.errors import GraphError
from lstmbench.onnxfile.names import shown

Dim: TypeAlias = int | str | None  # a size, a name for one, or nothing


class Port(NamedTuple):
    """An input or an output."""

    name: str
    dtype: np.dtype[Any]
    dims: tuple[Dim, ...] | None  # None: not declared

    @property
    def words(self) -> str:
        """`x float32 (B, T, 3)`."""
        dims = "?" if self.dims is None else ", ".join("?" if d is None else str(d) for d in self.dims)
        return f"{shown(self.name)} {self.dtype} ({shown(dims)})"


class Ports(NamedTuple):
    """All of a graph, in its order; initializers that old files name among the inputs are none."""

    inputs: tuple[Port, ...]
    outputs: tuple[Port, ...]


def of(path: Path, model: ir.Model) -> Ports:
    """GraphError for what is no array of numbers, and for an input without a shape."""
    held = model.graph.initializers
    inputs = _ports(path, "input", (value for value in model.graph.inputs if value.name not in held))
    for port in inputs:
        if port.dims is None:
            raise GraphError(f"{path}: its input {port.name!r} declares no shape, so none can be drawn")
    return Ports(inputs, _ports(path, "output", model.graph.outputs))


def listed(ports: Iterable[Port]) -> str:
    """All in one line."""
    return ", ".join(port.words for port in ports) or "none"


def _ports(path: Path, what: str, values: Iterable[ir.Value]) -> tuple[Port, ...]:
    return tuple(_port(path, what, value) for value in values)


def _port(path: Path, what: str, value: ir.Value) -> Port:
    name, kind = value.name or "", value.type
    dtype = np.dtype(kind.dtype.numpy()) if isinstance(kind, ir.TensorType) and kind.dtype else None
    if dtype is None or dtype.kind not in "fiub":
        held = dtype if kind is None or dtype is not None else type(kind).__name__
        raise GraphError(f"{path}: its {what} {name!r} is {held}, not an array of numbers that can be judged")
    dims = None if value.shape is None else tuple(d if isinstance(d, int) else d.value for d in value.shape)
    return Port(name, dtype, dims)
