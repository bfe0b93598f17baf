"""Requests that arrive as they do in use, and how long each waited."""

from typing import Annotated, Literal, TypeAlias

import msgspec

from lstmbench.records.base import Extent, Record, Seconds
from lstmbench.records.check import Subject

Scenario: TypeAlias = Literal["single-stream", "multi-stream", "server", "offline"]


class Arrivals(Record, frozen=True, kw_only=True):
    """What MLPerf LoadGen is asked to do; a query holds rows of T tokens that are scored from zero state.

    single-stream: one row, the next when it is answered. multi-stream: the same with `batch` rows in one call. server:
    one row each, at moments of a Poisson process of `rate`, whether or not the last was answered. offline: all at
    once, `batch` rows a call.
    """

    scenario: Scenario
    batch: Extent = 1  # rows a call
    time: Extent
    seconds: Annotated[float, msgspec.Meta(gt=0, le=1e6)]  # at least, of sending
    rate: Annotated[float, msgspec.Meta(ge=0, le=1e6)] = 0.0  # queries a second, of server
    within_s: Seconds = 0.0  # server's bound on latency at `percentile`
    percentile: Annotated[float, msgspec.Meta(gt=0, lt=1)] = 0.99  # that LoadGen judges
    seed: Annotated[int, msgspec.Meta(ge=0, le=2**32)] = 0

    def __post_init__(self) -> None:
        if {self.rate > 0, self.within_s > 0} != {self.scenario == "server"}:
            raise ValueError("server needs a rate and a bound on latency, other scenarios have neither")
        if self.batch > 1 and self.scenario in {"single-stream", "server"}:
            raise ValueError(f"scenario {self.scenario!r} sends one row a query")


class Served(Record, frozen=True, kw_only=True):
    """What came of it: LoadGen's own verdict, and every latency from arrival to answer, in the order of arrival."""

    loadgen: str  # its version
    valid: bool  # LoadGen's word, never an MLPerf result
    reasons: tuple[str, ...] = ()  # LoadGen's, where it is not
    due_s: tuple[float, ...]  # when each query arrived, from the first on
    latency_s: tuple[float, ...]
    rows_per_s: float  # answered; the whole run of offline


class ArrivalRow(Record, frozen=True, kw_only=True):
    """A line of `arrivals.jsonl`."""

    schema: Literal["lstmbench.arrivals/1"] = "lstmbench.arrivals/1"
    machine: str  # Machine.fingerprint
    subject: Subject
    asked: Arrivals
    served: Served | None = None
    refused: str = ""

    def __post_init__(self) -> None:
        if (self.served is None) != bool(self.refused):
            raise ValueError("a row holds latencies or a reason")
