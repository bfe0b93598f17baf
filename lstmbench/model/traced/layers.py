"""All layers over padded input, by the road that fits the cell and whoever reads it."""

from typing import TYPE_CHECKING, TypeAlias

import torch
from torch import Tensor
from torch.nn import functional

from lstmbench.model.traced import demands, operator, packing, scan

if TYPE_CHECKING:
    from torch.nn.utils.rnn import PackedSequence

    from lstmbench.model.peephole_lstm import PeepholeLSTM

Hidden: TypeAlias = tuple[Tensor, Tensor]


def padded(
    module: "PeepholeLSTM", x: Tensor, hx: Hidden | None, lengths: Tensor | None = None
) -> tuple[Tensor, Hidden]:
    """X (T, B, E), state (D·L, B, H), lengths (B,) -> y (T, B, D·H), zero after a row's end; h_n, c_n (D·L, B, H).

    ValueError where eager mode would raise one; ExportError where the opset asked for is too old.
    """
    demands.check(module, x, hx)
    device = x.device.type
    if not torch.is_autocast_enabled(device):
        return _layers(module, x, hx, lengths)
    with torch.autocast(device, enabled=False):  # runtimes differ in bfloat16: the graph keeps the parameters' dtype
        return _layers(module, x.to(module.weight_hh_l0.dtype), hx, lengths)


def packed(module: "PeepholeLSTM", sequence: "PackedSequence", hx: Hidden | None) -> tuple[Tensor, Hidden]:
    """Packed x, and a state in its rows' order -> y (N, D·H) packed alike; h_n, c_n (D·L, B, H)."""
    x, lengths = packing.unpack(sequence)
    y, state = padded(module, x, hx, lengths)
    return packing.gather(y, sequence.batch_sizes, after=0.0), state


def _layers(module: "PeepholeLSTM", x: Tensor, hx: Hidden | None, lengths: Tensor | None) -> tuple[Tensor, Hidden]:
    D = 2 if module.bidirectional else 1
    layer = operator.layer if operator.holds(module) else scan.layer
    ends: list[Hidden] = []
    for k in range(module.num_layers):
        if k and module.dropout:
            x = functional.dropout(x, module.dropout, module.training)
        state = None if hx is None else (hx[0][k * D : (k + 1) * D], hx[1][k * D : (k + 1) * D])
        x, end = layer(module, k, x, state, lengths)
        ends.append(end)
    h_n, c_n = (parts[0] if len(parts) == 1 else torch.cat(parts) for parts in zip(*ends, strict=True))
    return x, (h_n, c_n)
