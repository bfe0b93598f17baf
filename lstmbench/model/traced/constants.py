"""Parameters brought into another order: once, while the graph is drawn, so that no runtime has to do it at every call.

torch.export hands a module stand-ins without values. The values behind them are found in the table by which it made
them; where they are not, as for a parameter that a parametrization computes, the reordering becomes nodes of the graph.
"""

from collections.abc import Callable, Mapping
from typing import Any

import torch
from torch import Tensor
from torch._subclasses.fake_tensor import FakeTensor, unset_fake_temporarily
from torch.fx.experimental.proxy_tensor import disable_proxy_modes_tracing


def constant(name: str, compute: Callable[..., Tensor], *parameters: Tensor) -> Tensor:
    """compute(*parameters); in an ONNX export as one constant, and the same one for the same name and parameters."""
    found = [_value(parameter) for parameter in parameters] if torch.onnx.is_in_onnx_export() else []
    values = [value for value in found if value is not None]
    if len(values) < len(parameters):
        return compute(*parameters)
    made: dict[tuple[object, ...], Tensor] = parameters[0].__dict__.setdefault("lstmbench_constants", {})
    key = name, *map(id, parameters)  # modules may share some of them
    if key not in made:
        with unset_fake_temporarily(), disable_proxy_modes_tracing():
            value = compute(*(value.detach() for value in values)).contiguous()
        made[key] = value.clone()  # the graph meets it here: its stand-in is what other nodes take
    return made[key]


def _value(parameter: Tensor) -> Tensor | None:
    if not isinstance(parameter, FakeTensor):
        return None
    converter = parameter.fake_mode.fake_tensor_converter.meta_converter
    known: Mapping[Tensor, Any] = converter.describer.lookup_tensor
    return next((tensor for tensor, id_ in known.items() if converter.tensor_memo.get(id_) is parameter), None)
