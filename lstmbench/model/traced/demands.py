"""What an export must bring along."""

import sys
from types import FrameType
from typing import TYPE_CHECKING

import torch
from torch import Tensor
from torch.fx.experimental.proxy_tensor import get_proxy_mode, get_proxy_slot

from lstmbench.errors import ExportError

if TYPE_CHECKING:
    from lstmbench.model.peephole_lstm import PeepholeLSTM

OLDEST_OPSET = 18  # of torch.onnx.export(dynamo=True): asked for an older one, it writes 18 and only logs it


def check(module: "PeepholeLSTM", x: Tensor, hx: tuple[Tensor, Tensor] | None) -> None:
    """ValueError for a shape or dtype that eager mode refuses too; ExportError for an opset that is too old."""
    opset = asked_for("opset_version")
    if isinstance(opset, int) and opset < OLDEST_OPSET:
        raise ExportError(
            f"opset {opset} is too old for PeepholeLSTM: pass opset_version={OLDEST_OPSET} or a later one"
        )
    weight = module.weight_hh_l0
    if x.shape[-1] != module.input_size:
        raise ValueError(f"input has {x.shape[-1]} features, the module takes {module.input_size}")
    if x.dtype != weight.dtype and not torch.is_autocast_enabled(x.device.type):
        raise ValueError(f"input is {x.dtype}, the module takes {weight.dtype}")
    rows = module.num_layers * (2 if module.bidirectional else 1)
    for part, name in zip(hx or (), ("h_0", "c_0"), strict=False):
        if (
            part.dim() != 3
            or (part.shape[0], part.shape[2]) != (rows, module.hidden_size)
            or part.dtype != weight.dtype
        ):
            shape = (rows, "B", module.hidden_size)
            raise ValueError(f"{name} is {part.dtype} {tuple(part.shape)}, the module takes {weight.dtype} {shape}")
        promise(part.shape[1] == x.shape[1], f"{name} and the input differ in batch size")


def promise(condition: bool, otherwise: str = "") -> None:
    """Let torch.export take for given what it can only see when the graph runs."""
    torch._check(condition, lambda: otherwise)  # type: ignore[no-untyped-call] # noqa: SLF001 (its documented name)


def demand_open(lengths: Tensor) -> None:
    """ExportError where a graph with open axes would hold the example's lengths, as it does where they are a list."""
    tracer = get_proxy_mode().tracer  # type: ignore[union-attr] # an export runs
    inputs = [node for node in tracer.graph.nodes if node.op == "placeholder"]
    free = any(isinstance(size, torch.SymInt) for node in inputs for size in getattr(node.meta.get("val"), "shape", ()))
    slot = get_proxy_slot(lengths, tracer, None)
    reached = set() if slot is None else {slot.proxy.node}
    for node in reversed(tracer.graph.nodes):
        if node in reached:
            reached.update(node.all_input_nodes)
    if free and reached.isdisjoint(inputs):
        raise ExportError("lengths would be frozen at the example's: hand them to the model as a tensor, not as a list")


@torch.compiler.assume_constant_result  # type: ignore[untyped-decorator] # with strict=True nobody may look at frames
def asked_for(option: str) -> object:
    """What the running torch.onnx.export was told, which it hands to no module; None where none is running."""
    frame: FrameType | None = sys._getframe()  # noqa: SLF001 (inspect.currentframe may be None, this may not)
    while frame is not None and frame.f_code is not torch.onnx.export.__code__:
        frame = frame.f_back
    return None if frame is None else frame.f_locals[option]
