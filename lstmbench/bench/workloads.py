"""Grids of workloads: what is timed, at which B and T."""

from collections.abc import Iterator, Sequence
from itertools import product

from lstmbench.errors import LstmbenchError
from lstmbench.records import Region, Workload, WorkloadKind

MOST_TOKENS = 2**22  # of one call; refused here, before inputs are drawn: what an answer may take, the worker says


def grid(
    *,
    batches: Sequence[int],
    times: Sequence[int],
    kinds: Sequence[WorkloadKind],
    regions: Sequence[Region] = ("end-to-end",),
    new: Sequence[int] = (),
    shortest: int | None = None,
) -> tuple[Workload, ...]:
    """Every kind at every T and B, in this order, in each region that it has; LstmbenchError if B or T is below 1.

    `new`: tokens out of kind `request`; `shortest`: of the rows of kind `score`, which then have mixed lengths.
    """
    for name, sizes in (("B", batches), ("T", times), ("N", new or (1,))):
        if not sizes or min(sizes) < 1:
            raise LstmbenchError(f"cannot time at {name} = {', '.join(map(str, sizes)) or 'nothing'}: give 1 or more")
    longest = max(times) + max(new, default=0)
    if max(batches) * longest > MOST_TOKENS:
        raise LstmbenchError(f"cannot time {max(batches)} x {longest} tokens a call: {MOST_TOKENS:,} are the most")
    if ("request" in kinds) != bool(new):
        raise LstmbenchError("requests need the number of new tokens, and nothing else has any")
    if shortest is not None and ("score" not in kinds or shortest > min(times)):
        raise LstmbenchError(f"rows of mixed lengths are scored, the shortest ({shortest}) no longer than any T")
    if shortest is not None and min(batches) < 2:
        raise LstmbenchError("rows of mixed lengths are two or more: one row is never padded; give a larger B")
    found = tuple(_each(kinds, times, batches, regions, new, shortest))
    if not found or (new and "end-to-end" not in regions):
        raise LstmbenchError("requests, and graphs that draw, are timed end to end alone: region 'compute' has none")
    return found


def _each(
    kinds: Sequence[WorkloadKind],
    times: Sequence[int],
    batches: Sequence[int],
    regions: Sequence[Region],
    new: Sequence[int],
    shortest: int | None,
) -> Iterator[Workload]:
    for kind, time, batch in product(kinds, times, batches):
        if kind in ("request", "generate"):  # they have one region
            tokens = new if kind == "request" else (None,)
            yield from (Workload(kind=kind, batch=batch, time=time, new=n) for n in tokens if "end-to-end" in regions)
        else:
            least = shortest if kind == "score" else None
            yield from (
                Workload(kind=kind, batch=batch, time=time, shortest=least, region=region) for region in regions
            )
