"""The backward pass of a run of steps, by hand.

What dh' and dc' are multiplied by is computed for some steps at once, so that a step is a product and five element-wise
operations. Sums over time come after.
"""

from typing import NamedTuple

import torch
from torch import Tensor

from lstmbench.model.cell import Cell, Kept, Parts, handed_on, length, tanh
from lstmbench.model.products import Product
from lstmbench.model.steps import Steps

_sigmoid_backward = torch.ops.aten.sigmoid_backward.grad_input
_tanh_backward = torch.ops.aten.tanh_backward.grad_input


class Back(NamedTuple):
    """What the backward pass gives, but for products with what the steps read."""

    dz: Tensor  # (N, 4H)
    db: Tensor  # (4H,)
    dp: Tensor  # (3, H), zero where there are no diagonal peepholes
    dstate: Parts  # dh and dc (B, H) of the state that came


class _Factors(NamedTuple):
    by_c: Tensor  # (n, 3, H): dz of i, f, g by dc'
    by_h: Tensor  # (n, H): dz of o by dh'
    h_to_c: Tensor  # (n, H): dc' by dh'
    c_to_c: Tensor  # (n, H): dc by dc', but for what a product brings


def backward(dy: Tensor, dstate: Parts, kept: Kept, cell: Cell, steps: Steps) -> Back:
    """Carry dy (N, H) and the dh and dc (B, H) of the last state back through the steps."""
    H = dy.shape[1]
    product = Product(cell.R.t(), rows=steps.batch, calls=len(steps.sizes))
    back = Back(
        torch.empty_like(kept.gates),
        kept.gates.new_zeros(4 * H),
        kept.gates.new_zeros(3, H),
        tuple(rows.clone() for rows in dstate),
    )
    c_old, c_new, part = steps.old(kept.c), steps.made(kept.c), dstate
    for rows, run in reversed(steps.runs(length(6 * H, steps))):
        dz = back.dz[rows]
        factors = _factors(kept.gates[rows], c_old[rows], c_new[rows], cell.p)
        views = dz, dz[:, : 3 * H].view(-1, 3, H), dz[:, 3 * H :], dy[rows], *factors
        for dz_s, dz_ifg, dz_o, dy_s, by_c, by_h, h_to_c, c_to_c in zip(
            *(reversed(run.split(view)) for view in views), strict=True
        ):
            dh, dc = handed_on(part, len(dy_s), dstate, back.dstate)
            dh = dh + dy_s
            torch.mul(dh, by_h, out=dz_o)
            dc = torch.addcmul(dc, dh, h_to_c)
            torch.mul(dc.unsqueeze(1), by_c, out=dz_ifg)
            d = product(dz_s.to(cell.R.dtype)).to(dz.dtype)
            part = (d[:, :H], torch.addcmul(d[:, H:], dc, c_to_c)) if cell.full else (d, dc.mul_(c_to_c))
        back.db.addmv_(dz.t(), dz.new_ones(len(dz)))
        if cell.p is not None:
            back.dp.add_(_peepholes(dz, c_old[rows], c_new[rows]))
    handed_on(part, 0, dstate, back.dstate)
    return back


def _factors(gates: Tensor, c_old: Tensor, c_new: Tensor, p: Tensor | None) -> _Factors:
    i, f, g, o = gates.chunk(4, 1)
    n, H = c_old.shape
    tanh_c = tanh(c_new, out=torch.empty_like(c_new, memory_format=torch.contiguous_format))
    by_c, by_h, h_to_c = gates.new_empty(n, 3, H), torch.empty_like(tanh_c), torch.empty_like(tanh_c)
    _sigmoid_backward(g, i, grad_input=by_c[:, 0])
    _sigmoid_backward(c_old, f, grad_input=by_c[:, 1])
    _tanh_backward(i, g, grad_input=by_c[:, 2])
    _sigmoid_backward(tanh_c, o, grad_input=by_h)
    _tanh_backward(o, tanh_c, grad_input=h_to_c)
    if p is None:
        return _Factors(by_c, by_h, h_to_c, f)
    c_to_c = torch.addcmul(f, by_c[:, 0], p[0]).addcmul_(by_c[:, 1], p[1])
    return _Factors(by_c, by_h, h_to_c.addcmul_(by_h, p[2]), c_to_c)


def _peepholes(dz: Tensor, c_old: Tensor, c_new: Tensor) -> Tensor:
    """The gradient of p (3, H) from some steps: i and f saw c, o saw c'."""
    H = c_old.shape[1]
    by_old = (dz[:, : 2 * H].view(-1, 2, H) * c_old.unsqueeze(1)).sum(0)
    return torch.cat([by_old, (dz[:, 3 * H :] * c_new).sum(0, keepdim=True)])
