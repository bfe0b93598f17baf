"""Queries that arrive as they do in use: how long they waited, beside LoadGen's verdict and the parity."""

from collections.abc import Iterable
from typing import NamedTuple

from lstmbench import samples
from lstmbench.plain import plain
from lstmbench.records import ArrivalRow, ParityRow, Served, Workload
from lstmbench.report import wording
from lstmbench.report.sheets import Row, Sheet
from lstmbench.report.speed import vouched_by
from lstmbench.report.subjects import SubjectColumns, columns

_MS = 1e3
NOTE = (
    "Latency is from the moment at which a query arrives, whether or not the runtime was free, to its answer. One row "
    "of T tokens a query (multi-stream: B, in one call; offline: all at once, B a call), from zero state. MLPerf "
    "LoadGen sends and judges; its word on a run is a verdict on that run alone, not an MLPerf result."
)


class ArrivalLine(NamedTuple):
    """One scenario on one subject; every number is absent where it was refused."""

    subject: SubjectColumns
    scenario: str
    batch: int
    time: int
    rate: float | None  # queries a second that were asked for
    within_ms: float | None
    percentile: float  # that LoadGen judges, in per cent
    seconds: float  # of sending, at least
    seed: int
    queries: int = 0
    rows_per_s: float | None = None
    p50_ms: float | None = None
    p90_ms: float | None = None
    p99_ms: float | None = None
    loadgen: str = ""
    max_error: float | None = None
    error_to_bound: float | None = None
    refused: str = ""


def arrival_lines(rows: Iterable[ArrivalRow], parity: Iterable[ParityRow]) -> list[ArrivalLine]:
    """One line a row, by scenario and names; no parity at that very shape, no number."""
    standing = vouched_by(parity)

    def line(row: ArrivalRow) -> ArrivalLine:
        asked, rate = row.asked, row.asked.rate or None
        within_ms = asked.within_s * _MS if rate else None
        made = ArrivalLine(
            columns(row.subject),
            *(asked.scenario, asked.batch, asked.time, rate, within_ms),
            *(round(100 * asked.percentile, 4), asked.seconds, asked.seed),
        )
        vouched = standing(row.subject, Workload(kind="score", batch=asked.batch, time=asked.time))
        if row.served is None or vouched.refused:
            return made._replace(refused=plain(row.refused) or vouched.refused)
        return _with_numbers(made, row.served)._replace(
            max_error=vouched.max_error, error_to_bound=vouched.error_to_bound
        )

    return sorted(map(line, rows), key=_place)


def _place(line: ArrivalLine) -> tuple[object, ...]:
    how = (line.rate or 0, line.within_ms or 0, line.percentile, line.seconds, line.seed)
    return (line.scenario, line.batch, line.time, *how, line.subject)


def _with_numbers(line: ArrivalLine, served: Served) -> ArrivalLine:
    """Of offline, which is one query, the rate alone."""
    parts = [] if line.scenario == "offline" else [served.latency_s]
    p50, p90, p99 = (_ms(samples.quantile_s(parts, q)) if parts else None for q in (0.5, 0.9, 0.99))
    verdict = "valid" if served.valid else f"invalid: {', '.join(map(plain, served.reasons))}".removesuffix(": ")
    return line._replace(
        queries=len(served.latency_s),
        rows_per_s=served.rows_per_s,
        p50_ms=p50,
        p90_ms=p90,
        p99_ms=p99,
        loadgen=verdict,
    )


def _ms(time_s: float | None) -> float | None:
    return None if time_s is None else time_s * _MS


def values(line: ArrivalLine) -> tuple[str, ...]:
    """The cells of a table, in the order of COLUMNS."""
    return (
        f"{line.queries:,}",
        *map(wording.number, (line.p50_ms, line.p90_ms, line.p99_ms)),
        wording.rate(line.rows_per_s),
        line.loadgen or wording.NOT_AVAILABLE,
    )


COLUMNS = ("Queries", "Median ms", "p90 ms", "p99 ms", "Rows/s", "LoadGen")


def asked(line: ArrivalLine) -> str:
    """All that two rows may differ in: how long, by which percentile; of server at which rate, within what."""
    how = f"p{line.percentile:g}, {line.seconds:g} s{f', seed {line.seed}' if line.seed else ''}"
    if line.rate is None:
        return f"{line.scenario}, {how}"
    return f"{line.scenario}, {line.rate:g}/s within {line.within_ms:g} ms, {how}"


def arrival_sheets(lines: Iterable[ArrivalLine]) -> list[Sheet]:
    """The table, where there is anything in it."""
    keys = ("Scenario", "B", "T", "Model / form", "Runtime", "Threads")
    rows = tuple(map(_row, lines))
    columns_of_it = (*COLUMNS, "Max error", "Of bound")
    title = "Arrivals: latency from arrival to answer"
    return [Sheet("arrivals", "Arrivals", title, NOTE, keys, columns_of_it, rows, wrapped=("LoadGen",))] if rows else []


def _row(line: ArrivalLine) -> Row:
    s = line.subject
    keys = (asked(line), str(line.batch), str(line.time), wording.export(s), wording.engine(s), str(s.threads))
    if line.refused:
        return Row(keys, (), refused=line.refused)
    return Row(keys, (*values(line), wording.error(line.max_error), wording.share(line.error_to_bound)))
