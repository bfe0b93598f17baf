"""What each workload takes in memory, beside the parity that vouches for it."""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from lstmbench.plain import plain
from lstmbench.records import Weight
from lstmbench.report.speed import SpeedLine
from lstmbench.report.subjects import SubjectColumns, key

_MIB = 2**20


class MemoryLine(NamedTuple):
    """One workload on one subject, in MiB; every number is absent where it was refused."""

    subject: SubjectColumns
    workload: str
    batch: int
    time: int
    new: int | None  # tokens out of a request
    shortest: int | None  # of rows of mixed lengths
    region: str
    file_mib: float | None = None
    weights_mib: float | None = None  # in the precision that they are held in
    engine_mib: float | None = None  # imports, model and session: with the model loaded, over the empty process
    peak_mib: float | None = None  # while the workload ran, over that
    max_error: float | None = None
    error_to_bound: float | None = None
    refused: str = ""


def memory_lines(weights: Iterable[Weight], speed: Sequence[SpeedLine]) -> list[MemoryLine]:
    """One line per weighed workload, in the order of the speed lines that vouch for it; no parity, no number."""
    known = {key(weight.subject, weight.workload): weight for weight in weights}
    return [_line(line, known[line.key]) for line in speed if line.key in known]


def _line(speed: SpeedLine, weight: Weight) -> MemoryLine:
    line = MemoryLine(*speed.key)
    if speed.refused or weight.refused:
        return line._replace(refused=speed.refused or plain(weight.refused))
    return line._replace(
        file_mib=None if weight.file_bytes is None else weight.file_bytes / _MIB,
        weights_mib=None if weight.weight_bytes is None else weight.weight_bytes / _MIB,
        engine_mib=max(0, weight.idle_bytes - weight.empty_bytes) / _MIB,
        peak_mib=weight.peak_bytes / _MIB,
        max_error=speed.max_error,
        error_to_bound=speed.error_to_bound,
    )
