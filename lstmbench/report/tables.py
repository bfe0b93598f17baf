"""The tables as pandas DataFrames; a number that cannot be told is NaN in the frame and `n/a` in every text."""

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, TypeAlias

from lstmbench.records import Measurement, ParityRow
from lstmbench.report import extra
from lstmbench.report.arrivals import ArrivalLine
from lstmbench.report.kept_changes import ChangeLine
from lstmbench.report.memory import MemoryLine
from lstmbench.report.noise import ranked
from lstmbench.report.prices import PriceLine
from lstmbench.report.requests import RequestLine
from lstmbench.report.roofline import RoofLine
from lstmbench.report.speed import SpeedLine
from lstmbench.report.subjects import SubjectColumns
from lstmbench.report.verdicts import ParityLine, parity_lines
from lstmbench.report.wording import NOT_AVAILABLE

if TYPE_CHECKING:
    import pandas as pd

Table: TypeAlias = "pd.DataFrame"

SUBJECT = SubjectColumns._fields
PARITY = (*SUBJECT, *ParityLine._fields[1:])
_WORKLOAD = (*SUBJECT, "workload", "batch", "time", "new", "shortest", "region", "processes", "samples")
_VOUCHED = ("to_fastest", "tied", "max_error", "error_to_bound", "remarks", "refused")
_LATENCIES = ("p50_ms", "p90_ms", "p99_ms", "p999_ms", "spawn_ms", "load_ms", "first_call_ms", "first_calls")
_THROUGHPUTS = ("padding", "tokens_per_s", "tokens_per_s_low", "tokens_per_s_high")
LATENCY = (*_WORKLOAD, *_LATENCIES, *_VOUCHED)
THROUGHPUT = (*_WORKLOAD, *_THROUGHPUTS, *_VOUCHED)
PRICES = (*SUBJECT, *PriceLine._fields[1:])
MEMORY = (*SUBJECT, *MemoryLine._fields[1:])
REQUESTS = (*SUBJECT, *(name for name in RequestLine._fields[1:] if name not in ("workload", "shortest", "region")))
ROOFLINE = (*SUBJECT, *RoofLine._fields[1:])
ARRIVALS = (*SUBJECT, *ArrivalLine._fields[1:])
BASELINE = (*SUBJECT, *ChangeLine._fields[1:])
_FORMULAS = ("=", "+", "-", "@")  # how one begins; `plain` leaves no tab and no line break
_ERRORS = ("max_error", "error_to_bound", "float32_error", "bound", "got", "want")
_MEMORIES = ("file_mib", "weights_mib", "engine_mib", "peak_mib")
_WHOLE = ("new", "shortest")  # numbers that some rows have none of
_REQUESTS = tuple(name for name in REQUESTS if name.endswith("_ms"))
_ROOFS = ("mflop", "weights_mib", "of_products", "of_reading")
_ARRIVALS = (*(name for name in ARRIVALS if name.endswith(("_ms", "_per_s"))), "rate", "percentile", "seconds")
_CHANGES = ("ratio", "ratio_low", "ratio_high", "floor", "limit")
_PRICES = ("loss", "memory_mib", "install_mb")
_NUMBERS = {
    *_PRICES,
    *_CHANGES,
    *_REQUESTS,
    *_ROOFS,
    *_ARRIVALS,
    *_LATENCIES,
    *_THROUGHPUTS,
    *_MEMORIES,
    "to_fastest",
    *_ERRORS,
}


def parity_table(rows: Iterable[ParityRow]) -> Table:
    """One row per subject and output: the largest error over all shapes, the float32 reference's beside it."""
    return _frame(parity_lines(rows), PARITY)


def latency_frame(lines: Sequence[SpeedLine]) -> Table:
    """Latencies of lines that are ranked."""
    return _frame(lines, LATENCY)


def throughput_frame(lines: Sequence[SpeedLine]) -> Table:
    """Throughputs of lines that are ranked."""
    return _frame(lines, THROUGHPUT)


def memory_frame(lines: Sequence[MemoryLine]) -> Table:
    """Memory in MiB: the file, the engine with its model loaded, the peak of each workload over that."""
    return _frame(lines, MEMORY)


def requests_frame(lines: Sequence[RequestLine]) -> Table:
    """Requests in milliseconds: to the first token, between tokens, in all."""
    return _frame(lines, REQUESTS)


def roofline_frame(lines: Sequence[RoofLine]) -> Table:
    """What a sample needs, and its share of what the machine can do."""
    return _frame(lines, ROOFLINE)


def arrivals_frame(lines: Sequence[ArrivalLine]) -> Table:
    """Latencies from arrival, in milliseconds, with LoadGen's verdict."""
    return _frame(lines, ARRIVALS)


def baseline_frame(lines: Sequence[ChangeLine]) -> Table:
    """Ratios of times to those of a baseline, with what may be said of them."""
    return _frame(lines, BASELINE)


def price_frame(lines: Sequence[PriceLine]) -> Table:
    """Speed, loss of perplexity (a share, at most) and memory of each case that was checked and timed."""
    return _frame(lines, PRICES)


def latency_table(measurements: Iterable[Measurement], parity: Iterable[ParityRow]) -> Table:
    """Latencies in milliseconds, with the parity that vouches for them; refused rows hold a reason and no number."""
    extra.demand()
    return latency_frame(ranked(measurements, parity)[0])


def throughput_table(measurements: Iterable[Measurement], parity: Iterable[ParityRow]) -> Table:
    """Tokens a second at the median, with the ends of its 95 % interval."""
    extra.demand()
    return throughput_frame(ranked(measurements, parity)[0])


def csv(table: Table) -> bytes:
    """A table as CSV in UTF-8, every digit kept; what cannot be told is `n/a`.

    A text that a spreadsheet would take for a formula has an apostrophe before it.
    """
    return table.map(_no_formula).to_csv(index=False, na_rep=NOT_AVAILABLE, lineterminator="\n").encode()


def _no_formula(cell: object) -> object:
    return f"'{cell}" if isinstance(cell, str) and cell.startswith(_FORMULAS) else cell


def _frame(
    lines: Sequence[
        ParityLine | SpeedLine | MemoryLine | RequestLine | RoofLine | ArrivalLine | ChangeLine | PriceLine
    ],
    columns: tuple[str, ...],
) -> Table:
    extra.demand()
    import pandas as pd

    flat = [{**line.subject._asdict(), **line._asdict()} for line in lines]
    frame = pd.DataFrame.from_records(flat, columns=list(columns))
    whole = {name: "Int64" for name in columns if name in _WHOLE}
    return frame.astype({name: "float64" for name in columns if name in _NUMBERS} | whole)
