"""Raw times to one line per subject and workload, with parity beside it; no parity, no number."""

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from statistics import median
from typing import NamedTuple

from lstmbench import samples
from lstmbench.plain import plain
from lstmbench.records import Measurement, ParityRow, Subject, Timing, Workload
from lstmbench.report import subjects
from lstmbench.report.subjects import Key, SubjectColumns
from lstmbench.report.verdicts import UNCHECKED, Standing, standings
from lstmbench.samples import Case

_KINDS = ("score", "decode", "request", "generate")
_MS = 1e3  # milliseconds in a second
CONFIDENCE = 0.95  # of an interval


class SpeedLine(NamedTuple):
    """One workload on one subject; every number is absent where it was refused or the samples cannot carry it."""

    subject: SubjectColumns
    workload: str
    batch: int
    time: int
    new: int | None  # tokens out of a request
    shortest: int | None  # of rows of mixed lengths
    region: str
    processes: int = 0
    samples: int = 0
    p50_ms: float | None = None
    p90_ms: float | None = None
    p99_ms: float | None = None
    p999_ms: float | None = None
    padding: float = 0.0  # share of the steps of a call
    tokens_per_s: float | None = None  # without padding
    tokens_per_s_low: float | None = None  # ends of the 95 % interval of the median, from the processes' own
    tokens_per_s_high: float | None = None
    spawn_ms: float | None = None  # medians of all processes, where one began with this workload
    load_ms: float | None = None
    first_call_ms: float | None = None  # of those that began with it
    first_calls: int = 0
    max_error: float | None = None
    error_to_bound: float | None = None
    to_fastest: float | None = None  # time over that of the fastest of its workload; absent where that cannot be told
    tied: bool | None = None  # with the fastest: no further from it than noise
    remarks: str = ""
    refused: str = ""

    @property
    def key(self) -> Key:
        """The fields that say what was timed."""
        return self[:7]

    @property
    def is_plain(self) -> bool:
        """Whether whole rows were timed end to end: what charts hold, and key figures."""
        return self.region == "end-to-end" and self.shortest is None


def speed_lines(measurements: Iterable[Measurement], parity: Iterable[ParityRow]) -> list[SpeedLine]:
    """One line per case: scoring, decoding, generating; then by batch, length and names."""
    standing = vouched_by(parity)
    cases = (case for case in samples.cases(measurements) if not case.twin)
    return sorted((_line(case, standing(case.subject, case.workload)) for case in cases), key=_place)


def vouched_by(parity: Iterable[ParityRow]) -> Callable[[Subject, Workload], Standing]:
    """What the check says of a subject, where it saw every output of it at that very shape."""
    compared = list(parity)
    known = standings(compared)
    outputs = Counter(
        (row.subject.identity, row.batch, row.time, row.chunks, row.decoding, row.lengths)
        for row in compared
        if row.state == "none" and row.asked != "vocabulary"
    )

    def standing(subject: Subject, work: Workload) -> Standing:
        found = known.get(subject.identity, UNCHECKED)
        lengths = work.lengths if subject.model.endswith("-lengths") else ()  # others are given whole rows
        seen = outputs[subject.identity, work.batch, work.steps, work.chunks, work.decoding, lengths]
        return found if found.refused or seen >= 3 else UNCHECKED  # the head's own, h_n, c_n

    return standing


def largest_shape(lines: Sequence[SpeedLine]) -> list[SpeedLine]:
    """The lines, refused ones too, at the largest B·T that was timed at least once."""
    shapes = [(line.batch * line.time, line.batch, line.time) for line in lines if not line.refused]
    return [line for line in lines if shapes and (line.batch, line.time) == max(shapes)[1:]]


def _place(line: SpeedLine) -> tuple[object, ...]:
    mixed = (line.new or 0, line.shortest or 0)
    return (_KINDS.index(line.workload), line.region == "compute", line.batch, line.time, *mixed, line.subject)


def _line(case: Case, standing: Standing) -> SpeedLine:
    line = SpeedLine(*subjects.key(case.subject, case.workload))
    if case.refused or standing.refused:
        return line._replace(refused=plain(case.refused) or standing.refused)
    return _with_numbers(line, case)._replace(
        max_error=standing.max_error, error_to_bound=standing.error_to_bound, remarks="; ".join(samples.remarks(case))
    )


def _with_numbers(line: SpeedLine, case: Case) -> SpeedLine:
    tokens, p50_s = case.workload.tokens_per_sample, case.median_s
    low_s, high_s = samples.median_interval(case.medians_s, CONFIDENCE) or (None, None)
    return _with_cold_start(line, case.timings)._replace(
        processes=len(case.timings),
        samples=sum(map(len, case.parts_s)),
        p50_ms=_ms(p50_s),
        p90_ms=_ms(case.quantile_s(0.9)),
        p99_ms=_ms(case.quantile_s(0.99)),
        p999_ms=_ms(case.quantile_s(0.999)),
        padding=case.workload.padding,
        tokens_per_s=tokens / p50_s if p50_s else None,
        tokens_per_s_low=tokens / high_s if high_s and p50_s else None,
        tokens_per_s_high=tokens / low_s if low_s and p50_s else None,
    )


def _with_cold_start(line: SpeedLine, timings: Sequence[Timing]) -> SpeedLine:
    """What came before the first sample, where a process began with this workload."""
    first_s = [timing.warmup_s[0] for timing in timings if timing.fresh]
    if not first_s:
        return line
    return line._replace(
        spawn_ms=_ms(median(timing.spawn_s for timing in timings)),
        load_ms=_ms(median(timing.load_s for timing in timings)),
        first_call_ms=_ms(median(first_s)),
        first_calls=len(first_s),
    )


def _ms(time_s: float | None) -> float | None:
    return None if time_s is None else time_s * _MS
