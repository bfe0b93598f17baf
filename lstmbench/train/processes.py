"""The processes of one run, as torchrun starts them: each trains on rows of its own, the first one writes."""

import contextlib
import os
from collections.abc import Iterator, Sequence
from typing import NamedTuple

import torch
from torch import Tensor, distributed

from lstmbench.errors import LstmbenchError
from lstmbench.model.dropout import Share


class Processes(NamedTuple):
    """All of them, seen from one; alone, every method returns what it is given."""

    share: Share = Share()

    @property
    def writes(self) -> bool:
        """Whether this is the one that writes files, and shows what is done."""
        return self.share.rank == 0

    def wait(self) -> None:
        """Go on when all have come here."""
        if self.share.size > 1:
            distributed.barrier()

    def totals(self, numbers: Sequence[float]) -> list[float]:
        """The sums of each over all processes, the same in each process."""
        if self.share.size == 1:
            return list(numbers)
        summed = torch.tensor(numbers, dtype=torch.float64)
        distributed.all_reduce(summed)
        found: list[float] = summed.tolist()
        return found

    def any(self, said: bool) -> bool:
        """Whether one of them says so: they leave a loop together, or wait for one another for ever."""
        return self.totals([float(said)])[0] > 0

    def whole(self, state: Tensor) -> Tensor:
        """The rows of all (L, B, H) from those of each, (L, B / size, H)."""
        if self.share.size == 1:
            return state
        parts = [torch.empty_like(state) for _ in range(self.share.size)]
        distributed.all_gather(parts, state.contiguous())
        return torch.stack(parts, 2).flatten(1, 2)


def writes() -> bool:
    """Whether this process writes and shows, before it has met the others."""
    return os.environ.get("RANK", "0") == "0"


@contextlib.contextmanager
def joined() -> Iterator[Processes]:
    """Meet the others that torchrun started, if it did; LstmbenchError where they cannot be met, or one is lost."""
    size = int(os.environ.get("WORLD_SIZE", "1"))
    if size == 1:
        yield Processes()
        return
    with _told():
        distributed.init_process_group("gloo")
    try:
        with _told():
            yield Processes(Share(distributed.get_rank(), size))
    finally:
        distributed.destroy_process_group()


@contextlib.contextmanager
def _told() -> Iterator[None]:
    try:
        yield
    except (RuntimeError, ValueError) as error:
        if isinstance(error, distributed.DistError):
            raise LstmbenchError(f"the processes of this run cannot meet: {error}; start them with torchrun") from error
        if "gloo" not in str(error).lower() and "connection" not in str(error).lower():
            raise
        raise LstmbenchError(
            "another process of this run has ended; what was saved is kept, the same command goes on from there"
        ) from error
