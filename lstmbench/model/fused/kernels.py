"""The compiled functions of a step, each made once a process, when it is first needed: in some tenths of a second."""

import functools

from torch import Tensor
from torch.nn.functional import pad

from lstmbench.model.fused import equations
from lstmbench.model.fused.blocks import over_blocks
from lstmbench.model.fused.lanes import WIDTH
from lstmbench.model.fused.loop import Array, over_rows
from lstmbench.model.fused.native import Loop, compiled
from lstmbench.records import Peephole


@functools.cache
def forward(peephole: Peephole, *, half: bool) -> Loop:
    """The forward part of a step, after a product: (n, at, z, z_x, c_old)."""
    arrays = equations.forward_arrays(peephole, half=half)
    body = functools.partial(equations.forward, peephole=peephole, half=half)
    return compiled(over_rows("forward", arrays, body), arrays)


@functools.cache
def backward(peephole: Peephole, *, half: bool) -> Loop:
    """The backward part of a step, after a product: (n, at, d, dc)."""
    arrays = equations.backward_arrays(peephole, half=half)
    return compiled(over_rows("backward", arrays, functools.partial(equations.backward, peephole=peephole)), arrays)


@functools.cache
def whole_forward(peephole: Peephole) -> Loop:
    """A step with its product: (n, at, read, z_x, c_old)."""
    arrays = _with_product(equations.forward_arrays(peephole, half=False))
    body = functools.partial(equations.forward, peephole=peephole, half=False)
    return compiled(over_blocks("whole_forward", "z", 4, arrays, body), arrays)


@functools.cache
def whole_backward(peephole: Peephole) -> Loop:
    """A step with the product before it: (n, at, dz of the next step, dc)."""
    arrays = _with_product(equations.backward_arrays(peephole, half=False))
    body = functools.partial(equations.backward, peephole=peephole)
    return compiled(over_blocks("whole_backward", "d", 2 if peephole == "full" else 1, arrays, body), arrays)


def _with_product(arrays: list[Array]) -> list[Array]:
    """What makes the first array instead of it."""
    return [Array("x"), Array("panels"), *arrays[1:]]


def forward_panels(R: Tensor) -> Tensor:
    """R (4H, K) -> panels (4·V, K, 16) of V times sixteen units, the gates of each side by side."""
    H, K = len(R) // 4, R.shape[1]
    units = pad(R.view(4, H, K), (0, 0, 0, -H % WIDTH))
    return units.view(4, -1, WIDTH, K).permute(1, 0, 3, 2).reshape(-1, K * WIDTH)


def backward_panels(R: Tensor) -> Tensor:
    """R (4H, H) or, of h and c, (4H, 2H) -> panels (V, 4H, 16), or (2·V, 4H, 16), as they are multiplied by dz."""
    H = len(R) // 4
    units = pad(R.view(4 * H, -1, H), (0, -H % WIDTH))
    return units.view(4 * H, units.shape[1], -1, WIDTH).permute(2, 1, 0, 3).reshape(-1, 4 * H * WIDTH)
