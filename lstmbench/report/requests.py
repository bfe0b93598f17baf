"""Requests as their users wait for them: to the first token, from token to token, in all.

Of every request the time to the first token and N - 1 times the mean of the latencies between tokens are all of it.
"""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from lstmbench import samples
from lstmbench.records import Measurement, Timing
from lstmbench.report import wording
from lstmbench.report.sheets import Row, Sheet
from lstmbench.report.speed import SpeedLine
from lstmbench.report.subjects import SubjectColumns, key

_MS = 1e3
NOTE = (
    "A request reads a prompt of B × T tokens in one call from zero state and gives N tokens a row, one call a token, "
    "each the argmax that is fed back, end to end. First token: from the start of the request until its argmax is "
    "known. Between: from a token to the next, of all N − 1 of every request; mean is that of a request. In all: the "
    "request; in each, first token + (N − 1) × mean between. Tokens/s is B·N over the median of that."
)


class RequestLine(NamedTuple):
    """One shape of requests on one subject; every number is absent where the samples do not carry it."""

    subject: SubjectColumns
    workload: str
    batch: int
    time: int
    new: int | None
    shortest: int | None
    region: str
    requests: int = 0
    first_p50_ms: float | None = None  # time to first token
    first_p90_ms: float | None = None
    first_p99_ms: float | None = None
    between_mean_ms: float | None = None  # the median of requests' means; absent where N is 1
    between_p50_ms: float | None = None  # inter-token latency
    between_p90_ms: float | None = None
    between_p99_ms: float | None = None
    whole_p50_ms: float | None = None
    tokens_per_s: float | None = None
    max_error: float | None = None
    error_to_bound: float | None = None
    refused: str = ""


def request_lines(measurements: Iterable[Measurement], speed: Sequence[SpeedLine]) -> list[RequestLine]:
    """One line a case, in the order of the speed lines that vouch for it."""
    cases = {key(case.subject, case.workload): case for case in samples.cases(measurements) if not case.twin}
    return [_line(line, cases[line.key].timings) for line in speed if line.workload == "request"]


def _line(speed: SpeedLine, timings: Sequence[Timing]) -> RequestLine:
    line = RequestLine(*speed.key)
    if speed.refused or speed.new is None:
        return line._replace(refused=speed.refused)
    requests = [_requests(timing, speed.new) for timing in timings]
    first = [[tokens[0] for tokens in part] for part in requests]
    between = [[time_s for tokens in part for time_s in tokens[1:]] for part in requests] if speed.new > 1 else []
    means = [[sum(tokens[1:]) / len(tokens[1:]) for tokens in part] for part in requests] if speed.new > 1 else []
    known = samples.median_of(means) is not None  # else a request's tokens tell of those few requests alone
    return line._replace(
        requests=sum(map(len, requests)),
        first_p50_ms=_ms(samples.median_of(first)),
        first_p90_ms=_ms(samples.tail_of(first, 0.9)),
        first_p99_ms=_ms(samples.tail_of(first, 0.99)),
        between_mean_ms=_ms(samples.median_of(means)),
        between_p50_ms=_ms(samples.median_of(between)) if known else None,
        between_p90_ms=_ms(samples.tail_of(between, 0.9)) if known else None,
        between_p99_ms=_ms(samples.tail_of(between, 0.99)) if known else None,
        whole_p50_ms=speed.p50_ms,
        tokens_per_s=speed.tokens_per_s,
        max_error=speed.max_error,
        error_to_bound=speed.error_to_bound,
    )


def _requests(timing: Timing, new: int) -> list[tuple[float, ...]]:
    """The times of the tokens of each."""
    return [timing.token_s[n : n + new] for n in range(0, len(timing.token_s), new)]


def _ms(time_s: float | None) -> float | None:
    return None if time_s is None else time_s * _MS


def request_sheets(lines: Sequence[RequestLine]) -> list[Sheet]:
    """The table, where there is anything in it."""
    keys = ("B", "T", "N", "Model / form", "Runtime", "Threads")
    values = (
        *("Requests", "First token ms", "p90 ms", "p99 ms", "Between ms, mean", "Between ms", "p90 ms ", "p99 ms "),
        *("In all ms", "Tokens/s", "Max error", "Of bound"),
    )
    title = "Requests: time to first token, between tokens, in all"
    rows = tuple(map(_row, lines))
    return [Sheet("requests", "Requests", title, NOTE, keys, values, rows)] if rows else []


def _row(line: RequestLine) -> Row:
    s = line.subject
    keys = (str(line.batch), str(line.time), str(line.new), wording.export(s), wording.engine(s), str(s.threads))
    if line.refused:
        return Row(keys, (), refused=line.refused)
    values = (
        f"{line.requests:,}",
        *map(wording.number, line[8:16]),
        wording.rate(line.tokens_per_s),
        wording.error(line.max_error),
        wording.share(line.error_to_bound),
    )
    return Row(keys, values)
