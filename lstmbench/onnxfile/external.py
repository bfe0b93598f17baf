"""Tensors that lie in files beside the model: found, never followed out of its folder, read only where it must be."""

import math
from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path

import numpy as np
import onnx_ir as ir

from lstmbench.arrays import Floats
from lstmbench.records import Record


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
    needed = max((tensor.offset or 0) + math.ceil(tensor.nbytes) for tensor in held)
    problem = f"too short: {needed:,} bytes are needed" if needed > size else ""
    return External(file=name, tensors=len(held), size_bytes=size, problem=problem)


def _size(path: Path) -> int | None:
    try:
        return path.stat().st_size if path.is_file() else None
    except OSError:  # no name that a file can have
        return None


def inside(folder: Path, name: str) -> Path | None:
    """The path of an external file; None if it leaves the folder, by dots, from the root or by a link."""
    try:
        path = (folder / name).resolve()
        return path if path.is_relative_to(folder.resolve()) else None
    except (OSError, ValueError, RuntimeError):  # a NUL byte, a circle of links
        return None


def array(folder: Path, tensor: ir.TensorProtocol) -> Floats | None:
    """The values of a tensor; None where they cannot be had: a file that is missing, too short or elsewhere."""
    try:
        if not isinstance(tensor, ir.ExternalTensor):
            return np.asarray(tensor.numpy())
        if _file(folder, str(tensor.location), [tensor]).problem:
            return None
        with (folder / tensor.location).open("rb") as file:
            file.seek(tensor.offset or 0)
            held = file.read(math.ceil(tensor.nbytes))
        return np.frombuffer(held, tensor.dtype.numpy()).reshape(tensor.shape.numpy())
    except (
        ValueError,
        TypeError,
        OSError,
        OverflowError,
        MemoryError,
    ):  # the header promises other bytes than there are
        return None
