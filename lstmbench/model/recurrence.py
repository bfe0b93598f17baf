"""One layer in one direction as one autograd function: no tape of single steps, weight gradients as single products.

It keeps for the backward pass, of each of its runs of steps, what `cell.Kept` names: 4H numbers a row, and 2H a row and
for each of the B rows of the state that came; (6N + 2B·runs)·H in all, float32 at least. A run is as long as LARGEST
lets it be. Where the products have a dtype of their own, what they read is kept in it too: K numbers a row, H or 2H.
Told to recompute, it keeps the state that came to each run of so many steps, 2·B·H, and does the run again going back.
The input (N, E) is kept as well, which is the caller's own memory where it has the products' dtype.

The function cannot itself be differentiated, and says so. Under autocast the products run in its dtype (bfloat16);
gates, cell state and every sum over time stay in the state's dtype, float32 at least.
"""

from typing import Any, NamedTuple

import torch
from torch import Tensor

from lstmbench.model.cell import Cell, Kept, Parts
from lstmbench.model.cell_backward import Back
from lstmbench.model.passes import passes
from lstmbench.model.products import linear
from lstmbench.model.steps import Steps
from lstmbench.records import Peephole

LARGEST = 2**22  # numbers in one array, 16 MiB: glibc takes larger ones than 32 MiB from the kernel anew at every step


class Plan(NamedTuple):
    """What is no tensor."""

    steps: Steps
    peephole: Peephole
    recompute: int | None  # steps


class Recurrence(torch.autograd.Function):
    """x (N, E), h_0 and c_0 (B, H), W, b, U, P -> y (N, H), h_n and c_n (B, H)."""

    @staticmethod
    def forward(  # noqa: PLR0913, PLR0917 (autograd hands over one argument a tensor)
        ctx: Any,
        x: Tensor,
        h_0: Tensor,
        c_0: Tensor,
        W: Tensor,
        b: Tensor | None,
        U: Tensor,
        P: Tensor | None,
        plan: Plan,
    ) -> tuple[Tensor, Tensor, Tensor]:
        """Run all steps, and keep what the backward pass needs."""
        ctx.plan, ctx.products = plan, _product_dtype(U)
        work = torch.promote_types(h_0.dtype, torch.float32)
        y = h_0.new_empty(len(x), h_0.shape[1])
        state: Parts = h_0.to(work), c_0.to(work)
        kept: list[Tensor] = []
        with torch.autocast(x.device.type, enabled=False):
            x = x.to(ctx.products)
            cell = _cell((W, b, U, P), plan.peephole, ctx.products, work)
            forward, _ = passes(cell, work)
            for rows, run in _runs(plan, h_0.shape[1]):
                came = state
                state, all_of_it = forward(x[rows], came, cell, run)
                y[rows] = run.made(all_of_it.h)
                kept += came if plan.recompute else all_of_it
        ctx.save_for_backward(x, W, b, U, P, *kept)
        return y, state[0].to(h_0.dtype), state[1].to(h_0.dtype)

    @staticmethod
    def backward(ctx: Any, dy: Tensor, dh_n: Tensor, dc_n: Tensor) -> tuple[Tensor | None, ...]:
        """Carry dy (N, H), dh_n and dc_n (B, H) back to the gradients of forward's tensors."""
        if torch.is_grad_enabled():  # create_graph: what is computed here would silently count as a constant
            raise RuntimeError("PeepholeLSTM has no second derivative: call backward without create_graph")
        x, *weights = ctx.saved_tensors[:5]
        kept, plan, H = ctx.saved_tensors[5:], ctx.plan, dy.shape[1]
        work = kept[0].dtype
        dy = dy.to(work)
        dstate: Parts = dh_n.to(work), dc_n.to(work)
        with torch.autocast(x.device.type, enabled=False):
            cell = _cell(weights, plan.peephole, ctx.products, work)
            total = _Total(cell, x if ctx.needs_input_grad[0] else None)
            forward, backward = passes(cell, work)
            each = 2 if plan.recompute else 4
            runs = _runs(plan, H)
            for k, (rows, run) in reversed(list(enumerate(runs))):
                of_run = kept[each * k : each * (k + 1)]
                if plan.recompute:
                    _, now = forward(x[rows], of_run, cell, run)
                else:
                    now = Kept(*of_run)
                back = backward(dy[rows], dstate, now, cell, run)
                dstate = back.dstate
                total.add(back, x[rows], run.old(now.read), rows)
        dU, dP = total.dR[:, :H], total.dR[:, H:] if cell.full else None if cell.p is None else total.dp.flatten()
        db = None if cell.b is None else total.db
        return total.dx, *dstate, total.dW, db, dU, dP, None


class _Total:
    """The gradients of the weights, summed over runs of steps; of x, run after run."""

    def __init__(self, cell: Cell, x: Tensor | None) -> None:
        self.dx = None if x is None else torch.empty_like(x)
        self._to_x = cell.W.t()
        self.dW = self.dR = self.db = self.dp = torch.zeros(())

    def add(self, back: Back, x: Tensor, read: Tensor, rows: slice) -> None:
        """One run: dz (N, 4H) by x (N, E) and by what the steps read (N, K)."""
        dz = back.dz.to(x.dtype)
        dW, dR = linear(x.t(), dz.t()), linear(read.t(), dz.t())  # transposed, since so it is faster
        self.dW, self.dR = _sum(self.dW, dW.t().to(back.db.dtype)), _sum(self.dR, dR.t().to(back.db.dtype))
        self.db, self.dp = _sum(self.db, back.db), _sum(self.dp, back.dp)
        if self.dx is not None:
            self.dx[rows] = linear(dz, self._to_x)


def _sum(total: Tensor, part: Tensor) -> Tensor:
    return total.add_(part) if total.dim() else part


def _runs(plan: Plan, H: int) -> list[tuple[slice, Steps]]:
    return plan.steps.runs(plan.recompute or max(1, LARGEST // (4 * H * plan.steps.batch)))


def _cell(weights: Any, peephole: Peephole, products: torch.dtype, work: torch.dtype) -> Cell:
    W, b, U, P = weights
    R = torch.cat([U, P], 1) if peephole == "full" else U
    p = P.view(3, -1).to(work) if peephole == "diagonal" else None
    return Cell(W.to(products), R.to(products), None if b is None else b.to(products), p)


def _product_dtype(U: Tensor) -> torch.dtype:
    device = U.device.type
    return torch.get_autocast_dtype(device) if torch.is_autocast_enabled(device) else U.dtype
