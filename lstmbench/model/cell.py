"""A run of steps of one layer in one direction: its weights, the forward pass, what that keeps for the backward pass.

A step is a product, one sigmoid over the gates, and the tanh of NumPy, which takes an eighth of the time of torch.tanh.
Gates stand in the order of TORCH_GATES (i, f, g, o), equations in `lstmbench.model.reference`.
"""

from collections.abc import Iterator
from typing import NamedTuple, TypeAlias

import numpy as np
import torch
from torch import Tensor

from lstmbench.model.products import Product, linear
from lstmbench.model.steps import Steps

Parts: TypeAlias = tuple[Tensor, ...]
AT_ONCE = 2**19  # numbers that element-wise work takes at once: they stay in the caches


class Cell(NamedTuple):
    """The weights of one layer in one direction: W, R and b in the dtype of the products, p in that of the state."""

    W: Tensor  # (4H, E)
    R: Tensor  # (4H, H), or (4H, 2H) for full peepholes: P beside U
    b: Tensor | None  # (4H,)
    p: Tensor | None  # (3, H) of diagonal peepholes: i, f, o

    @property
    def full(self) -> bool:
        """Whether the gates see c through a matrix."""
        return 4 * self.R.shape[1] > len(self.R)


class Kept(NamedTuple):
    """What the backward pass reads: 6H numbers a row, and K more where the products have a dtype of their own."""

    gates: Tensor  # (N, 4H)
    h: Tensor  # (N + B, H), a history: see Steps
    c: Tensor  # (N + B, H)
    read: Tensor  # (N + B, K): h, or h | c, as the products read it; the same memory where the dtype is the same


def forward(x: Tensor, state: Parts, cell: Cell, steps: Steps) -> tuple[Parts, Kept]:
    """Run x (N, E) from h and c (B, H) -> the last h and c (B, H), what is to be kept."""
    H, p = state[0].shape[1], cell.p
    kept = room(state, cell, steps)
    product = Product(cell.R, rows=steps.batch, calls=len(steps.sizes))
    tanh_c = torch.empty_like(state[0])
    peepholes = None if p is None else (p[:2], p[2])
    came = part = tuple(steps.came(history) for history in kept[1:])
    ends = tuple(rows.clone() for rows in came)
    views = [*kept.gates.chunk(4, 1), kept.gates[:, : 2 * H], kept.gates, *(steps.made(part) for part in kept[1:])]
    for z_x, i, f, g, o, i_f, gates, *made in zip(
        inputs(x, cell, steps, kept.gates.dtype), *(steps.split(view) for view in views), strict=True
    ):
        h, c, read = made
        n = len(h)
        _, c_old, read_old = part = handed_on(part, n, came, ends)
        z = product.plus(read_old, z_x)
        if peepholes is None:
            torch.sigmoid(z, out=gates)
        else:
            z_if, _, z_o = torch.split_with_sizes(z, [2 * H, H, H], 1)
            z_if.view(-1, 2, H).addcmul_(c_old.unsqueeze(1), peepholes[0])
            torch.sigmoid(z_if, out=i_f)
        tanh(z[:, 2 * H : 3 * H], out=g)
        torch.mul(f, c_old, out=c).addcmul_(i, g)
        if peepholes is not None:
            torch.sigmoid(z_o.addcmul_(c, peepholes[1]), out=o)
        torch.mul(o, tanh(c, out=tanh_c[:n]), out=h)
        if read.dtype != h.dtype:
            read[:, :H] = h
            if cell.full:
                read[:, H:] = c
        part = h, c, read
    handed_on(part, 0, came, ends)
    return ends[:2], kept


def room(state: Parts, cell: Cell, steps: Steps) -> Kept:
    """Memory for all steps, the state that came in its place."""
    h_0, c_0 = state
    (B, H), N = h_0.shape, sum(steps.sizes)
    gates = h_0.new_empty(N, 4 * H)
    if cell.full and cell.R.dtype == h_0.dtype:
        read = h_0.new_empty(N + B, 2 * H)
        h, c = read.chunk(2, 1)
    else:
        h, c = h_0.new_empty(N + B, H), h_0.new_empty(N + B, H)
        read = h if cell.R.dtype == h_0.dtype else cell.R.new_empty(N + B, cell.R.shape[1])
    for history, came in ((h, h_0), (c, c_0)):
        steps.came(history).copy_(came)
    if read.dtype != h.dtype:
        steps.came(read).copy_(torch.cat([h_0, c_0], 1)[:, : read.shape[1]])
    return Kept(gates, h, c, read)


def inputs(x: Tensor, cell: Cell, steps: Steps, dtype: torch.dtype) -> Iterator[Tensor]:
    """W x + b of each step (n, 4H), as it is read; of many steps in one product."""
    for rows, run in steps.runs(length(len(cell.W), steps)):
        yield from run.split(linear(x[rows], cell.W, cell.b).to(dtype))


def length(numbers: int, steps: Steps) -> int:
    """How many steps of so many numbers a row are worked on at once."""
    return max(1, AT_ONCE // (numbers * steps.batch))


def handed_on(part: Parts, n: int, came: Parts, ends: Parts) -> Parts:
    """From the rows of one step to the n of the next: those that end go into `ends`, others begin from what came."""
    m = len(part[0])
    if n == m:
        return part
    if n > m:
        return tuple(torch.cat([rows, initial[m:n]]) for rows, initial in zip(part, came, strict=True))
    for rows, end in zip(part, ends, strict=True):
        end[n:m] = rows[n:]
    return tuple(rows[:n] for rows in part)


def tanh(x: Tensor, out: Tensor) -> Tensor:
    """Write tanh x into `out`, and return it."""
    if x.device.type == "cpu":
        np.tanh(x.numpy(), out=out.numpy())
        return out
    return torch.tanh(x, out=out)
