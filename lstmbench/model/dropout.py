"""Dropout as language models of LSTM layers use it: by number, by unit, by word, by weight.

Each is a product with noise that is 0 with probability p and else 1 / (1 - p), so that the expectation stays; none acts
outside of training. Noise is drawn for the rows of all processes, and each takes its own: with one seed they drop
together what a single process would.
"""

from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn import functional


class Share(NamedTuple):
    """Every `size`-th row of a batch, from row `rank` on."""

    rank: int = 0
    size: int = 1

    @property
    def rows(self) -> slice:
        """These rows."""
        return slice(self.rank, None, self.size)


class Dropout(NamedTuple):
    """What is dropped: how much, where, and for how long."""

    rate: float = 0.0  # of what layers hand on: the embedding, each layer, the last one
    locked: bool = False  # the same units at every step of a call, others in each row (Gal & Ghahramani 2016)
    words: float = 0.0  # of the vocabulary: all of its places in the call at once (ibid.)
    recurrent: float = 0.0  # of single weights that multiply states (Wan et al. 2013; Merity et al. 2018)
    share: Share = Share()

    def units(self, x: Tensor) -> Tensor:
        """What the next layer reads of x (B, T, n)."""
        noise = _noise(x[:, :1] if self.locked else x, self.rate, self.share, at=0)
        return x * noise

    def packed(self, x: Tensor, sizes: list[int]) -> Tensor:
        """The same of packed x (N, n), of which step t has the first sizes[t] rows."""
        by_step = x.view(len(sizes), sizes[0], -1) if len(x) == len(sizes) * sizes[0] else None
        if by_step is not None and not self.locked:
            return (by_step * _noise(by_step, self.rate, self.share, at=1)).view_as(x)
        assert self.locked, "rows that end at different steps take locked dropout"
        noise = _noise(x[None, : sizes[0]], self.rate, self.share, at=1)  # (1, B, n)
        if by_step is not None:
            return (by_step * noise).view_as(x)
        return x * noise[0, torch.cat([torch.arange(size) for size in sizes])]

    def embedding(self, weight: Tensor) -> Tensor:
        """The rows (V, E) that tokens are looked up in."""
        return weight * functional.dropout(weight.new_ones(len(weight), 1), self.words)

    def weights(self, matrix: Tensor) -> Tensor:
        """The matrix of one call, the same at all its steps."""
        return functional.dropout(matrix, self.recurrent)


def _noise(like: Tensor, p: float, share: Share, *, at: int) -> Tensor:
    """Of the shape of `like`, whose dimension `at` is the batch; laid out as it, since that is the order of drawing."""
    order = sorted(range(like.dim()), key=like.stride, reverse=True)
    shape = [n * share.size if dim == at else n for dim, n in enumerate(like.shape)]
    ones = like.new_ones([shape[dim] for dim in order]).permute([order.index(dim) for dim in range(like.dim())])
    return functional.dropout(ones, p)[(slice(None),) * at + (share.rows,)]
