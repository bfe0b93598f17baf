"""The order in which a direction reads packed rows.

Sequences lie packed, as torch.nn.utils.rnn packs them: step t holds the first rows of a batch that is sorted by length,
and all steps lie one after the other, N rows in all. Forward and reverse differ only in the order of the steps.
"""

from collections.abc import Sequence
from itertools import accumulate, pairwise
from typing import NamedTuple

import torch
from torch import Tensor


class Steps(NamedTuple):
    """Some steps of a batch in one direction; a history (N + B, K) holds the state that came and what steps made."""

    sizes: Sequence[int]  # rows of each step, in the order of time
    batch: int  # B, rows of the state: some may have ended before, or begin after
    reverse: bool

    def split(self, rows: Tensor) -> Sequence[Tensor]:
        """Views of rows (N, …), one a step, as they are read."""
        views = torch.split_with_sizes(rows, list(self.sizes))
        return views[::-1] if self.reverse else views

    def firsts(self) -> list[int]:
        """The first row of each step, as they are read."""
        firsts = list(accumulate(self.sizes[:-1], initial=0))
        return firsts[::-1] if self.reverse else firsts

    def runs(self, length: int) -> list[tuple[slice, "Steps"]]:
        """The same steps in runs of at most so many, as they are read, and the rows of each run."""
        runs = [self._replace(sizes=self.sizes[at : at + length]) for at in range(0, len(self.sizes), length)]
        ends = [0, *accumulate(sum(run.sizes) for run in runs)]
        cut = [(slice(*bounds), run) for bounds, run in zip(pairwise(ends), runs, strict=True)]
        return cut[::-1] if self.reverse else cut

    def came(self, history: Tensor) -> Tensor:
        """Where the state that came lies in a history: (B, K)."""
        return history[-self.batch :] if self.reverse else history[: self.batch]

    def made(self, history: Tensor) -> Tensor:
        """What the steps made: (N, K)."""
        return history[: -self.batch] if self.reverse else history[self.batch :]

    def old(self, history: Tensor) -> Tensor:
        """What each row had before its step: (N, K); a view where all steps have all rows."""
        if all(size == self.batch for size in self.sizes):
            return history[self.batch :] if self.reverse else history[: -self.batch]
        return history.index_select(0, _old_rows(self).to(history.device))


def _old_rows(steps: Steps) -> Tensor:
    """Where a history holds what each row had before its step: (N,)."""
    N = sum(steps.sizes)
    first, shift = (N, 0) if steps.reverse else (0, steps.batch)
    previous = initial = torch.arange(first, first + steps.batch)
    parts = []
    for now in steps.split(torch.arange(shift, shift + N)):
        previous = previous[: len(now)]
        parts.append(torch.cat([previous, initial[len(previous) : len(now)]]))
        previous = now
    return torch.cat(parts[::-1] if steps.reverse else parts)
