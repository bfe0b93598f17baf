"""What this run cannot tell apart: the very same case, timed twice under two names (A/A)."""

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from statistics import fmean
from typing import NamedTuple

from lstmbench import samples
from lstmbench.records import Measurement, ParityRow
from lstmbench.report.speed import SpeedLine, speed_lines
from lstmbench.report.subjects import Key, key
from lstmbench.samples import Case


class Noise(NamedTuple):
    """What pairs of equal cases showed; the shares of a time are absent where no pair has six passes."""

    pairs: int
    told_apart: int = 0  # pairs that would have been called different, from themselves
    largest: float | None = None  # difference between the two of a pair
    least: float | None = None  # difference that two rows must exceed to be called different


def noise(cases: Sequence[Case], *, q: float = 0.5) -> Noise:
    """Pool the pairs of a run, by the q-quantiles of their processes.

    The least difference is the half-width of an interval with the error of all pairs together, or the largest that a
    pair showed if that is more.
    """
    ones = {(case.subject, case.workload): case for case in cases if not case.twin}
    twins = {(case.subject, case.workload): case for case in cases if case.twin and case.timings}
    pairs = [(ones[of], twin) for of, twin in twins.items() if of in ones]  # a torn file may hold one of the two
    found = [seen for pair in pairs if (seen := samples.difference(*pair, q=q))]
    if not found:
        return Noise(0)
    largest = max(seen.size for seen in found)
    centres = [samples.centre_of(ratios) for pair in pairs if len(ratios := samples.log_ratios(*pair, q=q)) > 1]
    error = math.sqrt(fmean(centre.error**2 for centre in centres))
    half = math.expm1(samples.half_width(samples.Centre(0.0, error, sum(centre.freedom for centre in centres))))
    return Noise(len(found), sum(seen.told for seen in found), largest, max(largest, half))


def ranked(measurements: Iterable[Measurement], parity: Iterable[ParityRow]) -> tuple[list[SpeedLine], Noise]:
    """Lines that say how far they are from the fastest of their workload, and the noise that this is held against."""
    rows = list(measurements)
    cases = samples.cases(rows)
    floor = noise(cases)
    return _ranked(speed_lines(rows, parity), cases, floor.least or 0.0), floor


def _ranked(lines: Sequence[SpeedLine], cases: Sequence[Case], least: float) -> list[SpeedLine]:
    timed = {key(case.subject, case.workload): case for case in cases if case.timings and not case.twin}
    began = {key: case.timings[0].session.at for key, case in timed.items()}

    def turns(line: SpeedLine) -> tuple[object, ...]:
        """The same for all lines that took turns at a workload: those of other sessions did not."""
        return (*line.key[1:], began.get(line.key))

    fastest = {turns(line): line for line in sorted(lines, key=_p50_ms, reverse=True) if not line.refused}
    placed = [line if line.refused else _placed(line, timed, fastest[turns(line)], least) for line in lines]
    ties = Counter(turns(line) for line in placed if line.tied)
    return [line._replace(tied=ties[turns(line)] > 1) if line.tied else line for line in placed]


def _placed(line: SpeedLine, timed: Mapping[Key, Case], fastest: SpeedLine, least: float) -> SpeedLine:
    """Refused lines do not count; what is no further from the fastest than noise is tied with it."""
    seen = samples.difference(timed[line.key], timed[fastest.key])
    if seen is None:
        return line
    return line._replace(to_fastest=seen.ratio, tied=not seen.told or seen.size <= least)


def _p50_ms(line: SpeedLine) -> float:
    return math.inf if line.p50_ms is None else line.p50_ms
