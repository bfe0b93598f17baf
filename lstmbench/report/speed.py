"""Raw times to one line per subject and workload, with parity beside it; no parity, no number."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from itertools import accumulate, pairwise
from typing import NamedTuple

from lstmbench import samples
from lstmbench.plain import plain
from lstmbench.records import Measurement, ParityRow, Timing, Workload
from lstmbench.report import subjects
from lstmbench.report.subjects import SubjectColumns
from lstmbench.report.verdicts import UNCHECKED, Standing, standings

_KINDS = ("score", "decode", "generate")
_MS = 1e3  # milliseconds in a second


class SpeedLine(NamedTuple):
    """One workload on one subject; every number is absent where it was refused or the samples cannot carry it."""

    subject: SubjectColumns
    workload: str
    batch: int
    time: int
    samples: int
    p50_ms: float | None = None
    p90_ms: float | None = None
    p99_ms: float | None = None
    p999_ms: float | None = None
    tokens_per_s: float | None = None
    slowest_round_tokens_per_s: float | None = None
    fastest_round_tokens_per_s: float | None = None
    load_ms: float | None = None  # with the first call in the worker process: absent where it was another workload's
    first_call_ms: float | None = None
    max_error: float | None = None
    error_to_bound: float | None = None
    refused: str = ""


def speed_lines(measurements: Iterable[Measurement], parity: Iterable[ParityRow]) -> list[SpeedLine]:
    """One line per measurement: scoring, decoding, generating; then by batch, length and names."""
    compared = list(parity)
    known = standings(compared)
    outputs = Counter(
        (row.subject.identity, row.batch, row.time, row.chunks, row.decoding) for row in compared if row.state == "none"
    )

    def standing(row: Measurement) -> Standing:
        subject, work = row.subject.identity, row.workload
        found = known.get(subject, UNCHECKED)
        whole = outputs[subject, work.batch, work.time, work.chunks, work.decoding] >= 3  # the head's own, h_n, c_n
        return found if found.refused or whole else UNCHECKED

    return sorted((_line(row, standing(row)) for row in measurements), key=_place)


def largest_shape(lines: Sequence[SpeedLine]) -> list[SpeedLine]:
    """The lines, refused ones too, at the largest B·T that was timed at least once."""
    shapes = [(line.batch * line.time, line.batch, line.time) for line in lines if not line.refused]
    return [line for line in lines if shapes and (line.batch, line.time) == max(shapes)[1:]]


def _place(line: SpeedLine) -> tuple[object, ...]:
    return (_KINDS.index(line.workload), line.batch, line.time, line.subject)


def _line(row: Measurement, standing: Standing) -> SpeedLine:
    shape = (row.workload.kind, row.workload.batch, row.workload.time)
    line = SpeedLine(subjects.columns(row.subject), *shape, samples=0)
    if row.timing is None or standing.refused:
        return line._replace(refused=plain(row.refused) or standing.refused)
    return _with_numbers(line, row.timing, row.workload)._replace(
        max_error=standing.max_error, error_to_bound=standing.error_to_bound
    )


def _with_numbers(line: SpeedLine, timing: Timing, workload: Workload) -> SpeedLine:
    by_round = list(_tokens_per_s_by_round(timing, workload))
    several = len(by_round) == len(timing.rounds) > 1  # one round has no spread
    return line._replace(
        samples=len(timing.sample_s),
        p50_ms=_quantile_ms(timing, 0.5),
        p90_ms=_quantile_ms(timing, 0.9),
        p99_ms=_quantile_ms(timing, 0.99),
        p999_ms=_quantile_ms(timing, 0.999),
        tokens_per_s=samples.tokens_per_s(timing.sample_s, tokens_per_sample=workload.tokens_per_sample),
        slowest_round_tokens_per_s=min(by_round) if several else None,
        fastest_round_tokens_per_s=max(by_round) if several else None,
        load_ms=timing.load_s * _MS if timing.fresh else None,
        first_call_ms=timing.warmup_s[0] * _MS if timing.fresh else None,
    )


def _quantile_ms(timing: Timing, q: float) -> float | None:
    quantile_s = samples.quantile_s(timing.sample_s, q)
    return None if quantile_s is None else quantile_s * _MS


def _tokens_per_s_by_round(timing: Timing, workload: Workload) -> Iterator[float]:
    for start, end in pairwise(accumulate(timing.rounds, initial=0)):
        rate = samples.tokens_per_s(timing.sample_s[start:end], tokens_per_sample=workload.tokens_per_sample)
        if rate is not None:
            yield rate
