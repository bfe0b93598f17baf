"""Which passes run a layer: the compiled ones where they can, else those of torch's operators.

Both compute the same to rounding, not bit for bit.
"""

import functools
from collections.abc import Callable
from typing import NamedTuple

import torch
from torch import Tensor

from lstmbench.model import cell, cell_backward
from lstmbench.model.cell import Cell, Kept, Parts
from lstmbench.model.cell_backward import Back
from lstmbench.model.steps import Steps

PRODUCTS = (torch.float32, torch.bfloat16)


class Passes(NamedTuple):
    """See `cell.forward` and `cell_backward.backward`."""

    forward: Callable[[Tensor, Parts, Cell, Steps], tuple[Parts, Kept]]
    backward: Callable[[Tensor, Parts, Kept, Cell, Steps], Back]


def passes(of: Cell, work: torch.dtype) -> Passes:
    """The faster passes that serve this cell, whose state is in `work`."""
    fits = of.R.device.type == "cpu" and work == torch.float32 and of.R.dtype in PRODUCTS
    return (compiled() if fits else None) or Passes(cell.forward, cell_backward.backward)


@functools.cache
def compiled() -> Passes | None:
    """The compiled passes; nothing where llvmlite (extra `fast`) is not installed."""
    try:
        from lstmbench.model.fused import passes as fused
    except (ImportError, OSError):
        return None
    return Passes(fused.forward, fused.backward)
