"""Tensors that lie in files beside the model: found, never followed out of its folder, read only where it must be."""

import math
from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path

import numpy as np
import onnx_ir as ir

from lstmbench.arrays import Floats
from lstmbench.errors import RecordError
from lstmbench.ordinary import inside, opened
from lstmbench.records import Record

_MOST_BYTES = 2**42  # of a file beside a model; no more than what is asked for is read of it


class External(Record, frozen=True, kw_only=True):
    """A file beside the model that holds tensors of it."""

    file: str
    tensors: int
    size_bytes: int | None  # None: it is not there, or lies outside the model's folder and was not looked at
    problem: str = ""


def files(folder: Path, tensors: Iterable[ir.TensorProtocol]) -> tuple[External, ...]:
    """Every file that tensors name, with its size, or why it has none."""
    named: dict[str, list[ir.ExternalTensor]] = defaultdict(list)
    for tensor in tensors:
        if isinstance(tensor, ir.ExternalTensor):
            named[str(tensor.location)].append(tensor)
    return tuple(_file(folder, name, held) for name, held in sorted(named.items()))


def _file(folder: Path, name: str, held: list[ir.ExternalTensor]) -> External:
    path = inside(folder, name)
    if path is None:
        problem = "it lies outside the model's folder: not looked at"
        return External(file=name, tensors=len(held), size_bytes=None, problem=problem)
    size = _size(path)
    if size is None:
        return External(file=name, tensors=len(held), size_bytes=None, problem="missing")
    if untyped := [tensor.name for tensor in held if tensor.dtype == ir.DataType.UNDEFINED]:
        return External(file=name, tensors=len(held), size_bytes=size, problem=f"{untyped[0]!r} in it has no type")
    needed = max((tensor.offset or 0) + math.ceil(tensor.nbytes) for tensor in held)
    problem = f"too short: {needed:,} bytes are needed" if needed > size else ""
    return External(file=name, tensors=len(held), size_bytes=size, problem=problem)


def _size(path: Path) -> int | None:
    try:
        return path.stat().st_size if path.is_file() else None
    except OSError:  # no name that a file can have
        return None


def array(folder: Path, tensor: ir.TensorProtocol) -> Floats | None:
    """The values of a tensor; None where they cannot be had: a file that is missing, too short or elsewhere."""
    try:
        if not isinstance(tensor, ir.ExternalTensor):
            return np.asarray(tensor.numpy())
        if _file(folder, str(tensor.location), [tensor]).problem:
            return None
        path = inside(folder, str(tensor.location))
        if path is None or tensor.nbytes < 0:
            return None
        with opened(path, most_bytes=_MOST_BYTES, named=True) as file:
            file.seek(tensor.offset or 0)
            held = file.read(math.ceil(tensor.nbytes))
        return np.frombuffer(held, tensor.dtype.numpy()).reshape(tensor.shape.numpy())
    except (ValueError, TypeError, OSError, OverflowError, MemoryError, RecordError):
        return None  # the header promises other bytes than there are
