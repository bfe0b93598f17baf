"""Packed sequences while torch.export reads a model: pack_padded_sequence and pad_packed_sequence, for open T and B.

torch cannot export the two operators on which its torch.nn.utils.rnn stands: their kernels read lengths from memory.
While an export runs, and only then, the same is said here in operators that every exporter knows. What was packed keeps
its padded form at hand, so that between packing and padding nothing is computed: layers take the lengths, and the graph
holds only what the model reads of the packed form itself.
"""

from collections.abc import Callable
from functools import cached_property
from typing import NamedTuple

import torch
from torch import _VF, Tensor
from torch.nn.utils.rnn import PackedSequence

from lstmbench.errors import ExportError

_PADDED = "lstmbench_padded"  # attribute of the stand-in for packed data


class BatchSizes:
    """In the place of batch_sizes: lengths (B,), and live (T, B), which steps they cover.

    Its size is the longest length, which depends on data. It is computed where padding ends there; so a total_length
    can be compared with it although nobody knows it.
    """

    device = torch.device("cpu")

    def __init__(self, lengths: Tensor, live: Tensor) -> None:
        self.lengths, self.live = lengths, live

    @cached_property
    def rows(self) -> Tensor:
        """Where the N rows of packed data stand among T·B."""
        return self.live.flatten().nonzero().squeeze(1)

    def size(self, _: int) -> "Longest":
        """What pad_packed_sequence asks for when nobody named a length."""
        return Longest(self)


class Longest:
    """The longest length, not yet computed; no total length is refused as too short."""

    def __init__(self, sizes: BatchSizes) -> None:
        self._sizes = sizes

    def __gt__(self, total_length: int) -> bool:
        return False

    def value(self) -> int:
        """Compute it."""
        from lstmbench.model.traced.demands import promise

        longest: int = self._sizes.lengths.max().item()  # type: ignore[assignment] # int() would freeze it
        promise(longest >= 1)
        promise(longest <= self._sizes.live.shape[0])
        return longest


class Padded(NamedTuple):
    """The padded form of packed data, x (T, B, ·), and what stands after a row's end; None for anything."""

    x: Tensor
    after: float | None


def unpack(packed: PackedSequence) -> tuple[Tensor, Tensor]:
    """X (T, B, E), in the order of the rows that it was packed in, and lengths (B,)."""
    sizes = _known(packed.batch_sizes)
    return _padded(packed.data, sizes).x, sizes.lengths


def gather(y: Tensor, batch_sizes: object, *, after: float | None) -> Tensor:
    """Y (T, B, ·) -> packed (N, ·), which remembers y."""
    data = y.flatten(0, 1).index_select(0, _known(batch_sizes).rows)
    setattr(data, _PADDED, Padded(y, after))
    return data


def _known(batch_sizes: object) -> BatchSizes:
    if not isinstance(batch_sizes, BatchSizes):
        raise ExportError(
            "a PackedSequence can only be exported where the model makes it: take the padded batch and its lengths as"
            " inputs and call pack_padded_sequence in forward"
        )
    return batch_sizes


def _padded(data: Tensor, sizes: BatchSizes) -> Padded:
    if hasattr(data, _PADDED):
        padded: Padded = getattr(data, _PADDED)
        return padded
    empty = data.new_zeros(sizes.live.numel(), *data.shape[1:])  # the model has made other data for the same rows
    return Padded(empty.index_put((sizes.rows,), data).reshape(*sizes.live.shape, *data.shape[1:]), 0.0)


def _pack(x: Tensor, lengths: Tensor, batch_first: bool) -> tuple[Tensor, Tensor | BatchSizes]:
    """aten::_pack_padded_sequence: x (T, B, ·), lengths (B,) sorted -> data (N, ·), batch_sizes."""
    from lstmbench.model.traced.demands import demand_open

    demand_open(lengths)
    x = x.transpose(0, 1) if batch_first else x
    lengths = lengths.to(x.device)
    sizes = BatchSizes(lengths, torch.arange(x.shape[0], device=x.device).unsqueeze(1) < lengths)
    return gather(x, sizes, after=None), sizes


def _pad(
    data: Tensor, batch_sizes: Tensor, batch_first: bool, padding_value: float, total_length: int | Longest
) -> tuple[Tensor, Tensor]:
    """aten::_pad_packed_sequence: data (N, ·) -> x (total_length, B, ·), lengths (B,)."""
    sizes = _known(batch_sizes)
    x, after = _padded(data, sizes)
    if after != padding_value:
        x = torch.where(sizes.live.reshape(*sizes.live.shape, *[1] * (x.dim() - 2)), x, padding_value)
    x = _cut(x, total_length, padding_value)
    return (x.transpose(0, 1) if batch_first else x), sizes.lengths


def _cut(x: Tensor, total_length: int | Longest, padding_value: float) -> Tensor:
    """X (T, B, ·) -> (total_length, B, ·)."""
    from torch.fx.experimental.symbolic_shapes import statically_known_true

    if isinstance(total_length, Longest):
        return x[: total_length.value()]
    if statically_known_true(total_length == x.shape[0]):
        return x
    return torch.cat([x, x.new_full((total_length, *x.shape[1:]), padding_value)])[:total_length]


def stand_in() -> None:
    """Let torch.nn.utils.rnn, which looks its operators up at every call, find these here while an export runs."""
    _replace("_pack_padded_sequence", _pack)
    _replace("_pad_packed_sequence", _pad)


def _replace(name: str, ours: Callable[..., object]) -> None:
    theirs = getattr(_VF, name)
    setattr(type(_VF), name, property(lambda _: ours if torch.compiler.is_exporting() else theirs))
