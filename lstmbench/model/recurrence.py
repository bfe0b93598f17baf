"""One layer in one direction as one autograd function: the loop over time, forward and by hand backward.

Sequences lie packed, as torch.nn.utils.rnn packs them: step t holds the rows [0, batch_sizes[t]) of a batch that is
sorted by length, and all steps lie one after the other, N = Σ batch_sizes rows. Forward and reverse differ only in the
order of the steps: a row that has ended keeps its state, a row that has not begun still holds h_0 and c_0.

The backward pass needs no tape: all derivatives of the gates are taken at once before the loop, the loop carries
dh and dc, and the weights' gradients are one product after it. It cannot itself be differentiated, and says so.

Under autocast the products run in its dtype (bfloat16), and so is stored what they read; gates, cell state and every
sum over time stay in the state's dtype.

Gates stand in the order of TORCH_GATES (i, f, g, o), equations in `lstmbench.model.reference`.
"""

from itertools import accumulate
from typing import Any

import torch
from torch import Tensor

from lstmbench.records import Peephole


class Recurrence(torch.autograd.Function):
    """z_x (N, 4H), h_0 and c_0 (B, H), U (4H, H), P -> y (N, H), h_n and c_n (B, H); z_x is W x + b."""

    @staticmethod
    def forward(  # noqa: PLR0913, PLR0917 (autograd hands over one argument a tensor)
        ctx: Any,
        z_x: Tensor,
        h_0: Tensor,
        c_0: Tensor,
        U: Tensor,
        P: Tensor | None,
        steps: list[slice],
        peephole: Peephole,
    ) -> tuple[Tensor, Tensor, Tensor]:
        """Run the loop and keep what the backward pass needs: 4H of gates, H of tanh c', 2H of old state a row."""
        H, z_x = h_0.shape[-1], z_x.to(h_0.dtype)
        R = torch.cat([U, P], 1) if peephole == "full" and P is not None else U  # (4H, 2H) or (4H, H)
        R = R.to(_product_dtype(R))
        gates, tanh_c = torch.empty_like(z_x), z_x.new_empty(len(z_x), H)
        before, y = R.new_empty(len(z_x), 2 * H), z_x.new_empty(len(z_x), H)  # before: h | c
        state = torch.cat([h_0, c_0], 1)  # (B, 2H)
        for s in steps:
            now = state[: s.stop - s.start]
            before[s] = now
            h, c = now.chunk(2, 1)
            z = _preactivation(z_x[s], before[s][:, : R.shape[1]], R, out=gates[s])
            _activate(z, c, P if peephole == "diagonal" else None)
            torch.tanh(c, out=tanh_c[s])
            h.copy_(torch.mul(z[:, 3 * H :], tanh_c[s], out=y[s]))
        ctx.save_for_backward(gates, tanh_c, before, R, P)
        ctx.steps, ctx.peephole = steps, peephole
        h_n, c_n = state.chunk(2, 1)
        return y, h_n.clone(), c_n.clone()

    @staticmethod
    def backward(ctx: Any, dy: Tensor, dh_n: Tensor, dc_n: Tensor) -> tuple[Tensor | None, ...]:
        """Carry dy (N, H), dh_n and dc_n (B, H) back to the gradients of forward's tensors."""
        if torch.is_grad_enabled():  # create_graph: what is computed here would silently count as a constant
            raise RuntimeError("PeepholeLSTM has no second derivative: call backward without create_graph")
        gates, tanh_c, before, R, P = ctx.saved_tensors
        H = tanh_c.shape[1]
        c_old = before[:, H:]
        p = P.view(3, H) if ctx.peephole == "diagonal" else None
        by_c, by_h, h_to_c = _derivatives(gates, tanh_c, c_old)
        dz = torch.empty_like(gates)
        dstate = torch.cat([dh_n, dc_n], 1)
        for s in reversed(ctx.steps):
            dh, dc = dstate[: s.stop - s.start].chunk(2, 1)
            dh += dy[s]
            dz_o = torch.mul(dh, by_h[s], out=dz[s][:, 3 * H :])
            dc.addcmul_(dh, h_to_c[s])
            if p is not None:
                dc.addcmul_(dz_o, p[2])
            torch.mul(dc.unsqueeze(1), by_c[s], out=dz[s][:, : 3 * H].view(-1, 3, H))
            dc *= gates[s][:, H : 2 * H]
            if p is not None:
                dc += (dz[s][:, : 2 * H].view(-1, 2, H) * p[:2]).sum(1)
            dh_dc = dz[s].to(R.dtype) @ R
            dh.copy_(dh_dc[:, :H])
            if ctx.peephole == "full":
                dc += dh_dc[:, H:]
        dR = (dz.to(R.dtype).t() @ before[:, : R.shape[1]]).to(dz.dtype)
        dP = dR[:, H:] if ctx.peephole == "full" else None if p is None else _diagonal(dz, gates, c_old)
        return dz, dstate[:, :H], dstate[:, H:], dR[:, :H], dP, None, None


def steps_of(batch_sizes: list[int], *, reverse: bool) -> list[slice]:
    """The rows of each step in the packed data, in the order in which the direction reads them."""
    ends = accumulate(batch_sizes)
    steps = [slice(end - size, end) for end, size in zip(ends, batch_sizes, strict=True)]
    return steps[::-1] if reverse else steps


def _product_dtype(R: Tensor) -> torch.dtype:
    device = R.device.type
    return torch.get_autocast_dtype(device) if torch.is_autocast_enabled(device) else R.dtype


def _preactivation(z_x: Tensor, state: Tensor, R: Tensor, out: Tensor) -> Tensor:
    """z_x + R state, in the dtype of z_x."""
    if state.dtype == z_x.dtype:
        return torch.addmm(z_x, state, R.t(), out=out)
    return torch.add(z_x, state @ R.t(), out=out)


def _activate(z: Tensor, c: Tensor, p: Tensor | None) -> None:
    """Turn z (B, 4H) into the gates and c (B, H) into c', in place."""
    H = c.shape[1]
    i_f, (g, o) = z[:, : 2 * H], z[:, 2 * H :].chunk(2, 1)
    if p is not None:
        i_f.view(-1, 2, H).addcmul_(c.unsqueeze(1), p[: 2 * H].view(2, H))
    i, f = i_f.sigmoid_().chunk(2, 1)
    c.mul_(f).addcmul_(i, g.tanh_())
    if p is not None:
        o.addcmul_(c, p[2 * H :])
    o.sigmoid_()


def _derivatives(gates: Tensor, tanh_c: Tensor, c_old: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """dz_i,f,g by dc' (N, 3, H); dz_o by dh' (N, H); dc' by dh' (N, H): for all steps at once."""
    i, f, g, o = gates.chunk(4, 1)
    by_c = torch.stack([g * i * (1 - i), c_old * f * (1 - f), i * (1 - g * g)], 1)
    return by_c, tanh_c * o * (1 - o), o * (1 - tanh_c * tanh_c)


def _diagonal(dz: Tensor, gates: Tensor, c_old: Tensor) -> Tensor:
    """The gradient of p (3H,) in order i, f, o: i and f saw c, o saw c'."""
    i, f, g, _ = gates.chunk(4, 1)
    dz_i, dz_f, _, dz_o = dz.chunk(4, 1)
    return torch.cat([(dz_i * c_old).sum(0), (dz_f * c_old).sum(0), (dz_o * (f * c_old + i * g)).sum(0)])
