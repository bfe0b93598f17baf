"""One layer as scans over time, one a direction, for every cell; the input projection is one product before it.

Equations and letters are those of `lstmbench.model.reference`.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING, TypeAlias

import torch
from torch import Tensor
from torch._higher_order_ops.scan import scan, scan_op
from torch.nn import functional

from lstmbench.model.traced.constants import constant

if TYPE_CHECKING:
    from lstmbench.model.peephole_lstm import PeepholeLSTM
    from lstmbench.records import Peephole

Hidden: TypeAlias = tuple[Tensor, Tensor]


def layer(
    module: "PeepholeLSTM", k: int, x: Tensor, state: Hidden | None, lengths: Tensor | None
) -> tuple[Tensor, Hidden]:
    """Layer k: x (T, B, E), h and c (D, B, H), lengths (B,) -> y (T, B, D·H), and h and c (D, B, H)."""
    if state is None:
        zeros = x.new_zeros(2 if module.bidirectional else 1, x.shape[1], module.hidden_size)
        state = (zeros, zeros)
    live = None if lengths is None else _live(x, lengths)
    names = [f"l{k}", f"l{k}_reverse"][: len(state[0])]
    done = [_direction(module, name, x, (state[0][d], state[1][d]), live) for d, name in enumerate(names)]
    y, h_n, c_n = zip(*done, strict=True)
    return torch.cat(y, -1), (torch.stack(h_n), torch.stack(c_n))


def _live(x: Tensor, lengths: Tensor) -> Tensor:
    """Which rows have a step at t: (T, B, 1)."""
    steps = torch.arange(x.shape[0], device=x.device)
    return (steps.unsqueeze(1) < lengths.to(x.device)).unsqueeze(2)


def _direction(
    module: "PeepholeLSTM", name: str, x: Tensor, state: Hidden, live: Tensor | None
) -> tuple[Tensor, Tensor, Tensor]:
    z_x = _input_projection(module, name, x)
    weights = _recurrent(module, name)
    over_time = [z_x] if live is None else [z_x, live]
    reverse = name.endswith("_reverse")
    if reverse:
        over_time = [part.flip(0) for part in over_time]
    h_n, c_n, y = _scan(module.peephole, [part.clone() for part in state], over_time, weights)
    return (y.flip(0) if reverse else y), h_n, c_n


def _input_projection(module: "PeepholeLSTM", name: str, x: Tensor) -> Tensor:
    """Every step at once: x (T, B, E) -> W x + b (T, B, 4H)."""
    W = getattr(module, f"weight_ih_{name}")
    if not module.bias:
        return functional.linear(x, W)
    biases = getattr(module, f"bias_ih_{name}"), getattr(module, f"bias_hh_{name}")
    return functional.linear(x, W, constant("sum", torch.add, *biases))


def _recurrent(module: "PeepholeLSTM", name: str) -> list[Tensor]:
    """R (H, 4H); over it P for full peepholes, (2H, 4H); after it p_i, p_f, p_o (H,) for diagonal ones."""
    U = getattr(module, f"weight_hh_{name}")
    if module.peephole == "none":
        return [constant("turned", lambda U: U.t().clone(), U)]
    P = getattr(module, f"weight_ch_{name}")
    if module.peephole == "full":
        return [constant("turned", lambda U, P: torch.cat([U, P], 1).t().clone(), U, P)]
    H = module.hidden_size
    gates = [constant(f"gate {n}", lambda p, n=n: p[n * H : (n + 1) * H].clone(), P) for n in range(3)]
    return [constant("turned", lambda U: U.t().clone(), U), *gates]


def _scan(
    peephole: "Peephole", state: list[Tensor], over_time: list[Tensor], weights: list[Tensor]
) -> tuple[Tensor, Tensor, Tensor]:
    """H_n and c_n (B, H), y (T, B, H)."""

    def step(h: Tensor, c: Tensor, z_x: Tensor, *rest: Tensor) -> list[Tensor]:
        h_next, c_next = _cell(peephole, (h, c), z_x, rest[-len(weights) :])
        if len(over_time) == 1:
            return [h_next, c_next, h_next.clone()]  # one value may not leave the step twice
        live = rest[0]
        return [torch.where(live, h_next, h), torch.where(live, c_next, c), torch.where(live, h_next, 0.0)]

    if torch.compiler.is_dynamo_compiling():  # strict=True
        return _scan_in_dynamo(step, state, over_time, weights)
    inputs = [state, over_time, weights]
    if (
        torch.onnx.is_in_onnx_export()
    ):  # torch.onnx fails on a scan that has gradients and data-dependent sizes before it
        inputs = [[part.detach() for part in parts] for parts in inputs]
    h_n, c_n, y = scan_op(step, *inputs)  # scan itself compiles the step, and remembers the sizes of an earlier export
    return h_n, c_n, y


def _scan_in_dynamo(
    step: Callable[..., list[Tensor]], state: list[Tensor], over_time: list[Tensor], weights: list[Tensor]
) -> tuple[Tensor, Tensor, Tensor]:
    def combine(state: list[Tensor], now: list[Tensor]) -> tuple[list[Tensor], Tensor]:
        h, c, y = step(*state, *now, *weights)
        return [h, c], y

    (h_n, c_n), y = scan(combine, state, over_time)
    return h_n, c_n, y


def _cell(peephole: "Peephole", state: Hidden, z_x: Tensor, weights: tuple[Tensor, ...]) -> Hidden:
    """H and c (B, H), z_x (B, 4H), R (H or 2H, 4H), p (3H,) -> h', c'."""
    h, c = state
    R, *p = weights
    z = z_x + (torch.cat([h, c], 1) if peephole == "full" else h) @ R  # addmm would freeze B at an example of one row
    i, f, g, o = z.chunk(4, 1)
    if p:
        p_i, p_f, p_o = p
        i, f = i + p_i * c, f + p_f * c
    c_next = f.sigmoid() * c + i.sigmoid() * g.tanh()
    if p:
        o = o + p_o * c_next
    return o.sigmoid() * c_next.tanh(), c_next
