"""One layer as the ONNX operator LSTM, both directions in one node, with input P for diagonal peepholes."""

from typing import TYPE_CHECKING

import torch
from torch import Tensor

from lstmbench.model.gates import ONNX_GATES, ONNX_PEEPHOLES, TORCH_GATES, TORCH_PEEPHOLES, order
from lstmbench.model.traced import demands
from lstmbench.model.traced.constants import constant

if TYPE_CHECKING:
    from lstmbench.model.peephole_lstm import PeepholeLSTM

DTYPES = (torch.float32, torch.float16)  # ONNX Runtime registers the operator for float64 and throws


def holds(module: "PeepholeLSTM") -> bool:
    """Whether an ONNX export is running, its operator has this cell in this dtype, and nothing asks torch to run it.

    torch takes the operator's outputs for zeros: with verify=True it would call a right file wrong.
    """
    if not torch.onnx.is_in_onnx_export() or demands.asked_for("verify"):
        return False
    return module.peephole != "full" and module.weight_hh_l0.dtype in DTYPES


def layer(
    module: "PeepholeLSTM", k: int, x: Tensor, state: tuple[Tensor, Tensor] | None, lengths: Tensor | None
) -> tuple[Tensor, tuple[Tensor, Tensor]]:
    """Layer k: x (T, B, E), h and c (D, B, H), lengths (B,) -> y (T, B, D·H), and h and c (D, B, H)."""
    (T, B, _), H, D = x.shape, module.hidden_size, 2 if module.bidirectional else 1
    y, h_n, c_n = torch.onnx.ops.symbolic_multi_out(
        "LSTM",
        [x, *_weights(module, k), *_sequence(lengths, state), _peepholes(module, k)],
        {"hidden_size": H, "direction": "bidirectional" if module.bidirectional else "forward"},
        dtypes=[x.dtype] * 3,
        shapes=[(T, D, B, H), (D, B, H), (D, B, H)],
    )
    return y.transpose(1, 2).reshape(T, B, D * H), (h_n, c_n)


def _sequence(lengths: Tensor | None, state: tuple[Tensor, Tensor] | None) -> tuple[Tensor | None, ...]:
    return (None if lengths is None else lengths.to(torch.int32), *(state or (None, None)))


def _weights(module: "PeepholeLSTM", k: int) -> tuple[Tensor, Tensor, Tensor | None]:
    """W (D, 4H, E), R (D, 4H, H), B (D, 8H)."""
    gates = order(TORCH_GATES, ONNX_GATES)
    biases = _stacked(module, k, ("bias_ih", "bias_hh"), gates) if module.bias else None
    return _stacked(module, k, ("weight_ih",), gates), _stacked(module, k, ("weight_hh",), gates), biases


def _peepholes(module: "PeepholeLSTM", k: int) -> Tensor | None:
    """P (D, 3H)."""
    if module.peephole == "none":
        return None
    return _stacked(module, k, ("weight_ch",), order(TORCH_PEEPHOLES, ONNX_PEEPHOLES))


def _stacked(module: "PeepholeLSTM", k: int, kinds: tuple[str, ...], gates: list[int]) -> Tensor:
    """Parameters one under the other, blocks of H rows in the given order; a direction behind the other: (D, ...)."""
    suffixes = ("", "_reverse") if module.bidirectional else ("",)
    parameters = [getattr(module, f"{kind}_l{k}{suffix}") for suffix in suffixes for kind in kinds]

    def stack(*parameters: Tensor) -> Tensor:
        blocks = [part.chunk(len(gates))[gate] for part in parameters for gate in gates]
        return torch.cat(blocks).reshape(len(suffixes), -1, *parameters[0].shape[1:])

    return constant(f"operator {kinds}", stack, *parameters)
