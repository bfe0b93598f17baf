"""Grids of workloads: what is timed, at which B and T."""

from collections.abc import Sequence
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
) -> tuple[Workload, ...]:
    """Every kind at every T and B, in this order, in each region that it has; LstmbenchError if B or T is below 1."""
    for name, sizes in (("B", batches), ("T", times)):
        if not sizes or min(sizes) < 1:
            raise LstmbenchError(f"cannot time at {name} = {', '.join(map(str, sizes)) or 'nothing'}: give 1 or more")
    if max(batches) * max(times) > MOST_TOKENS:
        raise LstmbenchError(
            f"cannot time {max(batches)} x {max(times)} tokens a call: {MOST_TOKENS:,} are the most; take fewer"
        )
    cases = product(kinds, times, batches, regions)
    return tuple(
        Workload(kind=kind, batch=batch, time=time, region=region)
        for kind, time, batch, region in cases
        if (kind, region) != ("generate", "compute")
    )
