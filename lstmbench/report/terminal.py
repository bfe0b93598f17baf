"""Narrow tables of plain text for a terminal of 100 columns."""

from collections.abc import Collection, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from lstmbench.records import ArrivalRow, Subject
from lstmbench.report import extra, raw, wording
from lstmbench.report.advice import Advice, advice, may_give_up
from lstmbench.report.arrivals import COLUMNS, ArrivalLine, arrival_lines, asked, values
from lstmbench.report.noise import Noise, ranked
from lstmbench.report.prices import loss, priced
from lstmbench.report.requests import RequestLine, request_lines
from lstmbench.report.speed import SpeedLine, speed_lines
from lstmbench.report.subjects import SubjectColumns
from lstmbench.report.verdicts import FAILED, PASSED, REPORTED, ParityLine, parity_lines

_TIMED = (
    ("score", "end-to-end", "Scoring, one call"),
    ("score", "compute", "Scoring, one call without its copies"),
    ("decode", "end-to-end", "Decoding, one step"),
    ("decode", "compute", "Decoding, one step without its copies"),
    ("generate", "end-to-end", "Generating in the graph, one call of T tokens a row"),
)
_MIXED = (
    ("end-to-end", "Rows of mixed lengths, one call"),
    ("compute", "Rows of mixed lengths, one call without its copies"),
)
_REQUEST = ("first ms", "its p99", "between ms", "its p90", "in all ms")
_VERDICTS = {PASSED: "ok", FAILED: "FAILED", REPORTED: "reported"}


class TerminalTable(NamedTuple):
    """A title, and a first column of words before columns of numbers."""

    title: str
    columns: tuple[str, ...]
    rows: list[tuple[str, ...]]


def terminal_tables(run: Path, only: Collection[Subject] | None = None) -> list[TerminalTable]:
    """Parity first, then what was timed, if anything was; needs no extra. `only`: of the subjects that are meant.

    RecordError where a raw file is missing, damaged or foreign. Column `parity` is the worst error over its bound,
    `time` how the row lies beside the fastest of its workload, which takes the extra `report`.
    """
    recorded = raw.read_checked(run)
    meant = None if only is None else {subject.identity for subject in only}
    parity = [row for row in recorded.parity if meant is None or row.subject.identity in meant]
    timed = [row for row in recorded.measurements if meant is None or row.subject.identity in meant]
    speed, noise = ranked(timed, parity) if extra.installed() else (speed_lines(timed, parity), Noise(0))
    requests = request_lines(timed, speed)
    return [table for table in _tables(parity_lines(parity), speed, requests, noise) if table.rows]


def advice_tables(run: Path) -> list[TerminalTable]:
    """What to take of what `run` holds, a table a model; takes the extra `report`."""
    recorded = raw.read_checked(run)
    speed, noise = ranked(recorded.measurements, recorded.parity)
    found = advice(priced(recorded, speed), noise.least)
    columns = ("wanted", "may give up", "take", "figure", "loss", "ties")
    folders = dict.fromkeys(one.folder for one in found)
    title = "what to take, NumPy's reference left out"
    return [
        TerminalTable(f"{folder}: {title}", columns, [_advised(one) for one in found if one.folder == folder])
        for folder in folders
    ]


def _advised(one: Advice) -> tuple[str, ...]:
    wanted = (one.target, may_give_up(one))
    if one.best is None:
        return (*wanted, one.figure, *[wording.NOT_AVAILABLE] * 3)
    return (*wanted, one.best.name, one.figure, loss(one.best), str(len(one.tied)))


def arrivals_table(run: Path, rows: Collection[ArrivalRow]) -> TerminalTable:
    """Rows of `run` that are meant; a reason in the last column where there is no number."""
    lines = arrival_lines(rows, raw.read_checked(run).parity)
    return TerminalTable(
        "Arrivals: latency from arrival to answer",
        ("export · runtime", "scenario", "B×T", *map(str.lower, COLUMNS)),
        [_arrival_row(line) for line in lines],
    )


def arrivals_of(run: Path) -> TerminalTable | None:
    """All that a run served, if it served anything."""
    rows = raw.read_checked(run).arrivals
    return arrivals_table(run, rows) if rows else None


def _arrival_row(line: ArrivalLine) -> tuple[str, ...]:
    shape = (subject_name(line.subject), asked(line), f"{line.batch}×{line.time}")
    if line.refused:
        return (*shape, *[wording.NOT_AVAILABLE] * (len(COLUMNS) - 1), f"refused: {line.refused}")
    return (*shape, *values(line))


def _tables(
    parity: Sequence[ParityLine], speed: Sequence[SpeedLine], requests: Sequence[RequestLine], noise: Noise
) -> Iterator[TerminalTable]:
    yield TerminalTable(
        "Parity with the float64 reference: the worst of all shapes",
        ("export · runtime", "output", "max error", "NumPy's", "of bound", "verdict"),
        [_parity_row(line) for line in parity],
    )
    for kind, region, what in _TIMED:
        lines = [line for line in speed if (line.workload, line.region, line.shortest) == (kind, region, None)]
        yield _without_empty(
            TerminalTable(
                f"{what}: latency, tokens a second{_floor(noise)}",
                ("export · runtime", "B×T", "p50 ms", "p90 ms", "p99 ms", "tok/s", "time", "parity"),
                [_speed_row(line) for line in lines],
            )
        )
    for region, what in _MIXED:
        lines = [line for line in speed if line.shortest and line.region == region]
        yield _without_empty(
            TerminalTable(
                f"{what}: latency, useful tokens a second{_floor(noise)}",
                ("export · runtime", "B×T", "p50 ms", "p90 ms", "p99 ms", "padding", "tok/s", "time", "parity"),
                [_mixed_row(line) for line in lines],
            )
        )
    yield _without_empty(
        TerminalTable(
            "Requests: to the first token, between tokens, in all",
            (
                "export · runtime",
                "B×T+N",
                "first ms",
                "its p99",
                "between ms",
                "its p90",
                "in all ms",
                "tok/s",
                "parity",
            ),
            [_request_row(line) for line in requests],
        )
    )
    yield TerminalTable(
        "Refused",
        ("export · runtime", "B×T", "why"),
        [
            (*_keys(line), f"{wording.workload(line.workload, line.region)}: {line.refused}")
            for line in speed
            if line.refused
        ],
    )


def _without_empty(table: TerminalTable) -> TerminalTable:
    """Without a quantile that no row carries: the width is for names."""
    if not table.rows:
        return table
    quantiles = [n for n, name in enumerate(table.columns) if name in ("p90 ms", "p99 ms", "its p90", "its p99")]
    empty = {n for n in quantiles if all(row[n] == wording.NOT_AVAILABLE for row in table.rows)}
    columns, *rows = (tuple(c for n, c in enumerate(row) if n not in empty) for row in (table.columns, *table.rows))
    return TerminalTable(table.title, columns, rows)


def _parity_row(line: ParityLine) -> tuple[str, ...]:
    errors = (wording.error(line.max_error), wording.error(line.float32_error), wording.share(line.error_to_bound))
    return (subject_name(line.subject), line.output, *errors, _VERDICTS[line.verdict])


def _speed_row(line: SpeedLine) -> tuple[str, ...]:
    if line.refused:
        return (*_keys(line), *[wording.NOT_AVAILABLE] * 4, "refused", wording.NOT_AVAILABLE)
    times = (_with_interval(line), wording.number(line.p90_ms), wording.number(line.p99_ms))
    place = wording.beside_the_fastest(line.to_fastest, tied=line.tied)
    return (*_keys(line), *times, wording.rate(line.tokens_per_s), place, wording.share(line.error_to_bound))


def _mixed_row(line: SpeedLine) -> tuple[str, ...]:
    cells = _speed_row(line)
    return (*cells[:5], wording.NOT_AVAILABLE if line.refused else wording.percent(line.padding), *cells[5:])


def _request_row(line: RequestLine) -> tuple[str, ...]:
    keys = (subject_name(line.subject), f"{line.batch}×{wording.steps(line.time, line.new)}")
    if line.refused:
        return (*keys, *[wording.NOT_AVAILABLE] * 6, "refused")
    first, between = (line.first_p50_ms, line.first_p99_ms), (line.between_mean_ms, line.between_p90_ms)
    rate, parity = wording.rate(line.tokens_per_s), wording.share(line.error_to_bound)
    return (*keys, *map(wording.number, (*first, *between, line.whole_p50_ms)), rate, parity)


def _with_interval(line: SpeedLine) -> str:
    """The median and the farther end of its 95 % interval: '0.396 ±3 %'; no end where too few processes carry it."""
    middle, ends = line.tokens_per_s, (line.tokens_per_s_low, line.tokens_per_s_high)
    if middle is None or None in ends:
        return wording.number(line.p50_ms)
    off = max(abs(middle / end - 1) for end in ends if end)
    return f"{wording.number(line.p50_ms)} ±{100 * off:.0f} %"


def _floor(noise: Noise) -> str:
    return "" if noise.least is None else f"; under {100 * noise.least:.1f} % is a tie"


def _keys(line: SpeedLine) -> tuple[str, str]:
    return subject_name(line.subject), _shape(line)


def _shape(line: SpeedLine) -> str:
    return f"{line.batch}×{wording.steps(line.time, line.new, line.shortest)}"


def subject_name(subject: SubjectColumns) -> str:
    """Export and runtime, as short as they can be told apart."""
    threads = f" ({subject.threads} threads)" if subject.threads > 1 else ""
    # the width is for numbers: float32 is what a name without a precision means
    name = wording.export(subject).replace("-fp32-lengths", "-lengths").removesuffix("-fp32")
    return f"{name} · {subject.runtime}{wording.mixed(subject)}{threads}"
