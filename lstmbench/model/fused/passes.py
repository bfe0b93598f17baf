"""The passes of `lstmbench.model.cell` and `cell_backward`, a step of which is one compiled function.

The product is in it, where float32, AVX-512, one thread and full batches allow it: written out for these sizes it is
faster than a library's. Else a library makes it.
"""

from collections.abc import Callable

import torch
from torch import Tensor

from lstmbench.model.cell import Cell, Kept, Parts, handed_on, inputs, room
from lstmbench.model.cell_backward import Back
from lstmbench.model.fused import kernels
from lstmbench.model.fused.native import Bound, many_registers
from lstmbench.model.products import Product
from lstmbench.model.steps import Steps
from lstmbench.records import Peephole

LARGEST = 1024  # H: four panels of the backward pass then take 1 MiB, the nearer caches of a core
SUMMED = 16  # steps whose rows are added up one after the other: sums of such sums round less


def forward(x: Tensor, state: Parts, cell: Cell, steps: Steps) -> tuple[Parts, Kept]:
    """Run x (N, E) from h and c (B, H) -> the last h and c (B, H), what is to be kept."""
    kept = room(state, cell, steps)
    step = _forward_step(kept, cell, steps)
    came = part = tuple(steps.came(history) for history in kept[1:])
    ends = tuple(rows.clone() for rows in came)
    views = (steps.split(steps.made(history)) for history in kept[1:])
    for at, z_x, *now in zip(steps.firsts(), inputs(x, cell, steps, cell.R.dtype), *views, strict=True):
        n = z_x.shape[0]
        _, c_old, read_old = handed_on(part, n, came, ends)
        step(n, at, read_old, z_x, c_old)
        part = tuple(now)
    handed_on(part, 0, came, ends)
    return ends[:2], kept


def backward(dy: Tensor, dstate: Parts, kept: Kept, cell: Cell, steps: Steps) -> Back:
    """Carry dy (N, H) and the dh and dc (B, H) of the last state back through the steps."""
    dz, whole = cell.R.new_empty(kept.gates.shape), _whole(cell, steps)
    product = Product(cell.R.t(), rows=steps.batch, calls=1 if whole else len(steps.sizes))
    dh, dc = dstate[0], dstate[1].clone(memory_format=torch.contiguous_format)
    d = torch.cat([dh, torch.zeros_like(dh)], 1) if cell.full else dh
    came: Parts = (d.to(cell.R.dtype).contiguous(),)
    ends = (came[0].clone(),)
    order = list(zip(steps.firsts(), steps.split(dz), strict=True))[::-1]
    part = came
    if whole:  # no step comes after the last one: a product of length 0, and dh beside dy
        dy = dy.clone(memory_format=torch.contiguous_format)
        dy[order[0][0] :][: len(dh)] += dh
        part = (dz[: len(dh), :0],)
    total, some = dc.new_zeros(7, dc.shape[1]), dc.new_zeros(7, dc.shape[1])
    step = _backward_step(dz, dy.contiguous(), some, kept, cell, steps)
    for k, (at, dz_s) in enumerate(order, 1):
        n = dz_s.shape[0]
        part = handed_on(part, n, came, ends)
        step(n, at, *part, dc)
        part = (dz_s if whole and k < len(order) else product(dz_s),)
        if k % SUMMED == 0:
            total.add_(some)
            some.zero_()
    handed_on(part, 0, came, ends)
    total.add_(some)
    H, d = dc.shape[1], ends[0].to(dc.dtype)
    return Back(dz, total[:4].flatten(), total[4:], (d[:, :H], dc + d[:, H:] if cell.full else dc))


def _forward_step(kept: Kept, cell: Cell, steps: Steps) -> Callable[..., None]:
    """What does n rows from row `at` on, given what the product reads of them, their z_x and their old c."""
    held = {"gates": kept.gates} | _peepholes(cell)
    held |= {name: steps.made(getattr(kept, name)) for name in ("h", "c", *["read"] * _half(cell))}
    H = kept.h.shape[1]
    if _whole(cell, steps):
        return kernels.whole_forward(_peephole(cell)).over(H, panels=kernels.forward_panels(cell.R), **held)
    product = Product(cell.R, rows=steps.batch, calls=len(steps.sizes))
    loop = kernels.forward(_peephole(cell), half=_half(cell)).over(H, **held)
    return lambda n, at, read, *more: loop(n, at, product(read), *more)


def _backward_step(dz: Tensor, dy: Tensor, sums: Tensor, kept: Kept, cell: Cell, steps: Steps) -> Bound:
    held = {"dz": dz, "dy": dy, "sums": sums, "gates": kept.gates} | _peepholes(cell)
    held |= {"c_old": steps.old(kept.c), "c": steps.made(kept.c)}
    if _whole(cell, steps):
        held["panels"] = kernels.backward_panels(cell.R)
        return kernels.whole_backward(_peephole(cell)).over(dy.shape[1], **held)
    return kernels.backward(_peephole(cell), half=_half(cell)).over(dy.shape[1], **held)


def _whole(cell: Cell, steps: Steps) -> bool:
    """Whether a step and its product are one function."""
    small = len(cell.R) <= 4 * LARGEST and not _half(cell)
    full_batches = min(steps.sizes) == steps.batch
    return small and full_batches and torch.get_num_threads() == 1 and many_registers()


def _peepholes(cell: Cell) -> dict[str, Tensor]:
    return {} if cell.p is None else {"p": cell.p.contiguous()}


def _half(cell: Cell) -> bool:
    return cell.R.dtype == torch.bfloat16


def _peephole(cell: Cell) -> Peephole:
    return "full" if cell.full else "none" if cell.p is None else "diagonal"
