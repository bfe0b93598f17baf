"""What the check of a foreign file found."""

import math
from collections.abc import Iterable
from typing import Literal

from msgspec import field

from lstmbench.records import Placement, Record, strays


class Engine(Record, frozen=True, kw_only=True):
    """A runtime with a file in it: which one that is, and what of the file ran where."""

    runtime: str
    version: str = ""  # empty where it could not even load
    provider: str = ""  # that it promises; empty where the engine has no such notion
    placement: tuple[Placement, ...] = ()

    @property
    def strays(self) -> tuple[str, ...]:
        """The other providers that ran nodes which compute: then a figure is not that of the one which is promised."""
        return strays(self.provider, self.placement)


class ForeignRow(Record, frozen=True, kw_only=True):
    """One output of one run of a file on a runtime, by the file's own names."""

    file: str
    engine: Engine
    sizes: str  # of all inputs, in words
    asked: str = ""  # in which way, if not as one whole call: what the state must obey
    output: str
    max_error: float | None = None  # absent where an output is not finite, has another shape, or never came
    float32_error: float  # the largest of the oracle's own runs in float32
    bound: float | None  # absent where rounding decides, or the recurrence is chaotic: it is not judged
    unjudged_steps: int = 0  # of the last of its T steps, nothing is judged: the recurrence is chaotic
    worst_index: tuple[int, ...] = ()
    got: float | None = None
    want: float | None = None
    reason: str = ""  # why it failed; empty when it passed

    @property
    def runtime(self) -> str:
        """The name that was asked for."""
        return self.engine.runtime

    @property
    def share(self) -> float:
        """Of the bound, that the error takes; infinite where it failed without one."""
        if self.max_error is None:
            return math.inf
        if not self.max_error or self.bound is None:
            return 0.0
        return self.max_error / self.bound if self.bound else math.inf


class ForeignReport(Record, frozen=True, kw_only=True):
    """Every row of every runtime."""

    schema: Literal["lstmbench.foreign/1"] = "lstmbench.foreign/1"
    against: str  # what knew the answers
    rows: tuple[ForeignRow, ...]
    not_asked: dict[str, str] = field(default_factory=dict)  # what of the state was not asked, and why

    @property
    def passed(self) -> bool:
        """Whether every output was within its bound on every runtime."""
        return not any(row.reason for row in self.rows)

    def worst(self) -> tuple[ForeignRow, ...]:
        """For each output of each runtime, and for each way that it was asked in: what failed first, or most nearly."""
        kept: dict[tuple[str, str, str], ForeignRow] = {}
        for row in self.rows:
            key = (row.runtime, row.asked, "" if row.asked else row.output)
            kept[key] = _worse(kept.get(key, row), row)
        return tuple(kept.values())

    @property
    def unjudged(self) -> tuple[str, ...]:
        """The outputs of which nothing is said: no row judges them."""
        return unjudged(self.rows)

    def part(self, like: ForeignRow) -> str:
        """What of an output was judged on its runtime: '6 of 7' sizes, 'in part' where steps were left out, or ''."""
        rows = [row for row in self.rows if (row.engine, row.asked) == (like.engine, like.asked)]
        rows = [row for row in rows if like.asked or row.output == like.output]
        told = [row for row in rows if row.reason or row.bound is not None]
        if len(told) < len(rows):
            return f"{len(told)} of {len(rows)}"
        return "in part" if any(row.unjudged_steps for row in rows) else ""

    def failures(self) -> tuple[ForeignRow, ...]:
        """The first row that failed of each runtime."""
        failed: dict[str, ForeignRow] = {}
        for row in self.rows:
            if row.reason:
                failed.setdefault(row.runtime, row)
        return tuple(failed.values())


def _worse(kept: ForeignRow, row: ForeignRow) -> ForeignRow:
    if kept.reason or (not row.reason and row.share <= kept.share and kept.bound is not None):
        return kept
    return row


def unjudged(rows: Iterable[ForeignRow]) -> tuple[str, ...]:
    """The outputs that no row judges: rounding decides them at all sizes, or the recurrence is chaotic at all."""
    rows = tuple(row for row in rows if not row.asked)
    judged = {row.output for row in rows if row.bound is not None}
    return tuple(dict.fromkeys(row.output for row in rows if row.output not in judged))
