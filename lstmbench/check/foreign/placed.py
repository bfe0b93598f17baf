"""What ran where of a file that may be anybody's, as the engine tells it."""

from collections.abc import Sequence

from msgspec.structs import replace

from lstmbench.check.foreign.outcome import Engine
from lstmbench.records import Placement
from lstmbench.runtimes.recurring import RECURRENT
from lstmbench.worker import WorkerInfo


def engine_of(runtime: str, info: WorkerInfo) -> Engine:
    """The runtime as its worker tells it."""
    placement = _recurring(info.placement)
    return Engine(runtime=runtime, version=info.version, provider=info.provider, placement=placement)


def _recurring(placement: Sequence[Placement]) -> tuple[Placement, ...]:
    """Operators that recur are known by their names; where an engine tells of none, all nodes are held to its promise.

    The file may have no recurrence, or one that is written out in nodes which nobody can tell from others.
    """
    told = tuple(replace(part, recurrent=part.recurrent or part.operator in RECURRENT) for part in placement)
    if any(part.recurrent for part in told):
        return told
    return tuple(replace(part, recurrent=True) for part in told)
