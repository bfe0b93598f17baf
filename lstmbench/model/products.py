"""Products by the fastest route of this CPU that is exact in float32, without a setting of the process.

Float32 products of torch go to MKL, on many CPUs the slower library. The public setting that sends them to oneDNN
allows bfloat16 too, which CPUs with AMX then take. The operators behind torch.compile reach oneDNN in float32 as it
stands; they take a matrix packed once, in the order in which the kernels read it, or as it is.
"""

import functools

import torch
from torch import Tensor
from torch.nn import functional

ENOUGH_CALLS = 8  # packing costs some products with a small batch


class Product:
    """x (M, K) -> x A^T (M, n), for one A (n, K) and many x of at most `rows` rows."""

    def __init__(self, A: Tensor, *, rows: int, calls: int) -> None:
        self._A, self._through_onednn = A, _through_onednn(A)
        if self._through_onednn and calls >= ENOUGH_CALLS:
            self._A = torch.ops.mkldnn._reorder_linear_weight(A.contiguous(), rows)  # noqa: SLF001 (no public name)

    def __call__(self, x: Tensor) -> Tensor:
        """X A^T, in the dtype of A."""
        return _linear(x, self._A, None) if self._through_onednn else functional.linear(x, self._A)

    def plus(self, x: Tensor, z: Tensor) -> Tensor:
        """X A^T + z (M, n), in the dtype of z."""
        if x.dtype != z.dtype:
            return torch.add(z, self(x))
        if not self._through_onednn:
            return torch.addmm(z, x, self._A.t())
        total: Tensor = torch.ops.mkldnn._linear_pointwise.binary(x, z, self._A, None, "add")  # noqa: SLF001
        return total


def linear(x: Tensor, A: Tensor, bias: Tensor | None = None) -> Tensor:
    """X (M, K), A (n, K) -> x A^T + bias (M, n)."""
    return _linear(x, A, bias) if _through_onednn(A) else functional.linear(x, A, bias)


def _linear(x: Tensor, A: Tensor, bias: Tensor | None) -> Tensor:
    product: Tensor = torch.ops.mkldnn._linear_pointwise(x, A, bias, "none", [], "")  # noqa: SLF001
    return product


def _through_onednn(A: Tensor) -> bool:
    return A.device.type == "cpu" and _onednn_takes(A.dtype)


@functools.cache
def _onednn_takes(dtype: torch.dtype) -> bool:
    """Whether this build of torch and this CPU multiply so; the operators have no public name, and may go."""
    if dtype not in (torch.float32, torch.bfloat16) or not torch.backends.mkldnn.is_available():  # type: ignore[no-untyped-call] # torch.backends has no types
        return False
    A = torch.ones(2, 2, dtype=dtype)
    try:
        packed = torch.ops.mkldnn._reorder_linear_weight(A, 2)  # noqa: SLF001
        total = torch.ops.mkldnn._linear_pointwise.binary(_linear(A, A, None), A, packed, None, "add")  # noqa: SLF001
    except (AttributeError, RuntimeError):
        return False
    return bool((total == 5).all())
