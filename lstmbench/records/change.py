"""What came of a comparison with a baseline."""

from typing import Annotated, Literal, TypeAlias

import msgspec

from lstmbench.records.base import Record
from lstmbench.records.bench import Workload
from lstmbench.records.check import Subject

Ratio: TypeAlias = Annotated[float, msgspec.Meta(ge=0, le=1e300)]


class ChangeRow(Record, frozen=True, kw_only=True):
    """A line of `baseline.jsonl`: one quantile of one pair, times over the baseline's, and what may be said of it."""

    schema: Literal["lstmbench.change/1"] = "lstmbench.change/1"
    machine: str  # Machine.fingerprint
    before: Subject
    after: Subject
    workload: Workload
    quantile: Annotated[float, msgspec.Meta(gt=0, lt=1)]
    ratio: Ratio | None = None  # absent where the samples do not carry it
    low: Ratio | None = None  # ends of its interval, at 99 % for all rows together
    high: Ratio | None = None
    floor: Ratio | None = None  # the least difference that the same thing twice lets be told; absent without a twin
    limit: Ratio | None = None  # of --fail, where there is one: how much slower it may be
    verdict: Literal["slower", "faster", "tie", "cannot tell"]
    over: bool | None = None  # whether it is slower by more than the limit; absent where that cannot be told
