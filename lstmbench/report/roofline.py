"""How near each row comes to what the machine can do at best, and which of its bounds that is."""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from msgspec.structs import replace

from lstmbench.plain import plain
from lstmbench.records import Roof
from lstmbench.report import wording
from lstmbench.report.sheets import Row, Sheet, workload_keys
from lstmbench.report.speed import SpeedLine
from lstmbench.report.subjects import SubjectColumns, key
from lstmbench.runtimes import on_device

_MS = 1e3
_ELSEWHERE = "n/a (measured on the host)"
_NOTE = (
    "What the equations need at least - operations in products and peepholes, and the bytes of the weights in these, "
    "once a step where they multiply a state and once a call elsewhere - over the median; as a share of the best that "
    "NumPy did on this machine in this run, with as many threads: a float32 product of large matrices, and a "
    "matrix-vector product over as many bytes. Over 100 % is an engine that beats NumPy there. The larger share is the "
    "limit; below float32 no peak of products was measured, and the limit is reading or not told. What a "
    "device computes has no share: the rates are the host's."
)


class RoofLine(NamedTuple):
    """One workload on one subject beside its bounds; every number is absent where it was refused."""

    subject: SubjectColumns
    workload: str
    batch: int
    time: int
    new: int | None  # tokens out of a request
    shortest: int | None  # of rows of mixed lengths
    region: str
    mflop: float | None = None  # of one sample
    weights_mib: float | None = None
    of_products: float | None = None  # of the machine's rate, 1 at the bound
    of_reading: float | None = None
    limited_by: str = ""  # products or reading, or why that is not known; empty where it is not told
    max_error: float | None = None
    error_to_bound: float | None = None
    refused: str = ""


def roof_lines(roofs: Iterable[Roof], speed: Sequence[SpeedLine]) -> list[RoofLine]:
    """One line per workload whose bounds are known, in the order of the speed lines; no speed, no number."""
    rows = list(roofs)
    known = {key(roof.subject, roof.workload): _at_best(roof, rows) for roof in rows}
    return [_line(line, known[line.key]) for line in speed if line.key in known]


def roof_sheets(lines: Sequence[RoofLine]) -> list[Sheet]:
    """The table, where there is anything in it."""
    keys = ("Workload", "B", "T", "Model / form", "Runtime", "Threads")
    values = ("MFLOP", "Weights MiB", "Of products", "Of reading", "Limited by", "Max error", "Of bound")
    title = "Roofline: the share of what this machine can do"
    rows = tuple(map(_row, lines))
    return [Sheet("roofline", "Roofline", title, _NOTE, keys, values, rows, words=("Limited by",))] if rows else []


def _at_best(roof: Roof, roofs: Iterable[Roof]) -> Roof:
    """With the best rates of the whole run: what else the machine did can only make one lower."""
    same = [one for one in roofs if one.subject.threads == roof.subject.threads and not one.refused]
    if roof.refused:
        return roof
    reading = max(one.bytes_per_s for one in same if one.weight_bytes == roof.weight_bytes)
    return replace(roof, operations_per_s=max(one.operations_per_s for one in same), bytes_per_s=reading)


def _line(speed: SpeedLine, roof: Roof) -> RoofLine:
    line = RoofLine(*speed.key)
    if speed.refused or roof.refused:
        return line._replace(refused=speed.refused or plain(roof.refused))
    if roof.subject.device or on_device(roof.subject.runtime):
        return _sized(line, speed, roof)._replace(limited_by=_ELSEWHERE)
    products = _share(roof.operations / roof.operations_per_s, speed.p50_ms)
    reading = _share(roof.read_bytes / roof.bytes_per_s, speed.p50_ms)
    return _sized(line, speed, roof)._replace(
        of_products=products if roof.in_float32 else None,
        of_reading=reading,
        limited_by=_bound(products, reading, in_float32=roof.in_float32),
    )


def _sized(line: RoofLine, speed: SpeedLine, roof: Roof) -> RoofLine:
    """What it needs, wherever that is done."""
    return line._replace(
        mflop=roof.operations / 1e6,
        weights_mib=roof.weight_bytes / 2**20,
        max_error=speed.max_error,
        error_to_bound=speed.error_to_bound,
    )


def _share(needed_s: float, p50_ms: float | None) -> float | None:
    return needed_s * _MS / p50_ms if p50_ms else None


def _bound(products: float | None, reading: float | None, *, in_float32: bool) -> str:
    """Rounded weights may be multiplied faster than float32: of them reading is the bound, or none is told."""
    if products is None or reading is None:
        return ""
    if reading >= products:
        return "reading"
    return "products" if in_float32 else ""


def _row(line: RoofLine) -> Row:
    keys = workload_keys(line[:7])
    if line.refused:
        return Row(keys, (), refused=line.refused)
    values = (
        *map(wording.number, (line.mflop, line.weights_mib)),
        *map(wording.share, (line.of_products, line.of_reading)),
        line.limited_by or wording.NOT_AVAILABLE,
        wording.error(line.max_error),
        wording.share(line.error_to_bound),
    )
    return Row(keys, values)
