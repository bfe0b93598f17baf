"""Tables as text, laid out once for the page and for Markdown."""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from lstmbench.report import wording
from lstmbench.report.memory import MemoryLine
from lstmbench.report.speed import SpeedLine
from lstmbench.report.subjects import Key
from lstmbench.report.verdicts import FAILED, ParityLine

_SCORE_NOTE = "One sample is one call on B × T tokens from zero state. Tokens/s is B·T over the median."
_DECODE_NOTE = "One sample is one step: one call on (B, 1) and the argmax that is fed back. Tokens/s is B over it."
_REGIONS = ("end-to-end", "compute")
_MIXED_NOTE = (
    "One sample is one call on B rows padded to T, whose lengths are evenly spread between the two that T names; an "
    "export that takes lengths is told them, others compute the padding as well. Padding is the share of the B·T steps "
    "that lie behind their row's end; useful tokens/s are those before it, over the median."
)
_COMPUTE_NOTE = (
    "Region compute: inputs and states lie where the engine computes before a sample begins, which ends when the "
    "device has finished; copies to and from NumPy and the argmax of decoding are in none. What was computed so was "
    "compared with the end-to-end call that the check saw."
)
_GENERATE_NOTE = (
    "One sample is one call of a graph that draws T tokens a row itself, at temperature 1 from the whole vocabulary. "
    "Tokens/s is B·T over the median: a mean within each call, which says nothing of single tokens."
)
_COLD_NOTE = (
    "Start is what a worker process needed until it took requests, load its imports, reading the file and building the "
    "session: medians of the row's processes, with files in the page cache. First call is that of the processes that "
    "began with the row; of one alone it is one observation. Median is the same shape, warm."
)
_MEMORY_NOTE = (
    "Weights are all of them in the precision that they are held in, without scales. "
    "Loaded is what the process grew by when the engine was imported, the file read and the session built; peak is the "
    "most that the workload took over that. Smaller workloads came first in a process: what an engine keeps, counts."
)
_PARITY_NOTE = (
    "Largest difference from the float64 NumPy reference over all shapes; of tokens, what logits must be off by to "
    "draw them, 0 where the reference draws the same. Beside it the error that the same equations make in NumPy "
    "in the precision of the file, on the same input. Of bound: the largest error/bound of any run. Not judged: runs "
    "over which the cell is chaotic, so that no engine can agree with another; each of their steps is judged by itself."
)


class Row(NamedTuple):
    """Cells that say what the row is about, cells that say what came out, or a reason instead of those."""

    keys: tuple[str, ...]
    values: tuple[str, ...]
    refused: str = ""
    first: bool = False  # of a group
    bad: tuple[str, ...] = ()  # of the values' columns


class Sheet(NamedTuple):
    """One table, ready to be laid out."""

    name: str
    tab: str
    title: str
    note: str
    keys: tuple[str, ...]
    values: tuple[str, ...]
    rows: tuple[Row, ...]
    words: tuple[str, ...] = ()  # of the values' columns, those that hold no numbers
    wrapped: tuple[str, ...] = ()  # and those that hold sentences


def sheets(parity: Sequence[ParityLine], speed: Sequence[SpeedLine], memory: Sequence[MemoryLine] = ()) -> list[Sheet]:
    """Parity first, then what it vouches for; a workload that was not asked for has no sheet."""

    def of(kind: str, region: str = "end-to-end") -> list[SpeedLine]:
        whole = [line for line in speed if line.shortest is None]
        return [line for line in whole if (line.workload, line.region) == (kind, region)]

    all_of_them = [
        _parity(parity),
        _speed("score", "Scoring", "one call", _SCORE_NOTE, of("score")),
        _speed("score-compute", "Scoring, compute", "one call without copies", _COMPUTE_NOTE, of("score", "compute")),
        _speed("decode", "Decoding", "one step", _DECODE_NOTE, of("decode")),
        _speed(
            "decode-compute", "Decoding, compute", "one step without copies", _COMPUTE_NOTE, of("decode", "compute")
        ),
        _speed("generate", "Generating", "one call of T tokens a row", _GENERATE_NOTE, of("generate")),
        *(_mixed([line for line in speed if line.shortest and line.region == region]) for region in _REGIONS),
        _cold(speed),
        _memory(memory),
    ]
    return [sheet for sheet in all_of_them if sheet.rows]


def _parity(lines: Iterable[ParityLine]) -> Sheet:
    keys = ("Model / form", "Cell", "Runtime", "Provider", "Ran in", "Threads", "Output")
    values = ("Runs", "Not judged", "Max error", "NumPy's own", "Bound", "Of bound", "Worst at", "Verdict")
    rows, before = [], None
    for line in lines:
        rows.append(_parity_row(line, first=line.subject != before))
        before = line.subject
    return Sheet(
        "parity",
        "Parity",
        "Parity with the float64 reference",
        _PARITY_NOTE,
        keys,
        values,
        tuple(rows),
        words=("Worst at",),
        wrapped=("Verdict",),
    )


def _parity_row(line: ParityLine, *, first: bool) -> Row:
    s = line.subject
    values = (
        str(line.runs),
        str(line.not_judged),
        wording.error(line.max_error),
        wording.error(line.float32_error),
        wording.error(line.bound),
        wording.share(line.error_to_bound),
        f"B {line.batch}, T {line.time}: {line.worst_index}",
        f"{line.verdict}: {line.reason}" if line.reason else line.verdict,
    )
    keys = (wording.export(s), s.cell, wording.engine(s), wording.provider(s), s.ran_in, str(s.threads), line.output)
    return Row(keys, values, first=first, bad=("Verdict",) if line.verdict == FAILED else ())


def _speed(name: str, tab: str, what: str, note: str, lines: Iterable[SpeedLine]) -> Sheet:
    keys = ("B", "T", "Model / form", "Cell", "Runtime", "Provider", "Ran in", "Threads")
    values = (
        *("Processes", "Samples", "Median ms", "p90 ms", "p99 ms"),
        *("Tokens/s", "95 % interval", "To the fastest", "Max error", "Of bound", "Remarks"),
    )
    rows, before = [], None
    for line in lines:
        rows.append(_speed_row(line, first=(line.batch, line.time) != before))
        before = (line.batch, line.time)
    return Sheet(name, tab, f"{tab}: latency and throughput of {what}", note, keys, values, tuple(rows))


def _speed_row(line: SpeedLine, *, first: bool) -> Row:
    s = line.subject
    names = (wording.export(s), s.cell, wording.engine(s), wording.provider(s), s.ran_in, str(s.threads))
    keys = (str(line.batch), str(line.time), *names)
    if line.refused:
        return Row(keys, (), refused=line.refused, first=first)
    values = (
        str(line.processes),
        f"{line.samples:,}",
        *map(wording.number, (line.p50_ms, line.p90_ms, line.p99_ms)),
        wording.rate(line.tokens_per_s),
        wording.between(line.tokens_per_s_low, line.tokens_per_s_high),
        wording.beside_the_fastest(line.to_fastest, tied=line.tied),
        wording.error(line.max_error),
        wording.share(line.error_to_bound),
        line.remarks or "none",
    )
    return Row(keys, values, first=first)


def _mixed(lines: Sequence[SpeedLine]) -> Sheet:
    """Rows of one region."""
    keys = ("B", "T", "Model / form", "Cell", "Runtime", "Threads")
    values = (
        *("Processes", "Samples", "Median ms", "p90 ms", "p99 ms", "Padding", "Useful tokens/s", "95 % interval"),
        *("To the fastest", "Max error", "Of bound", "Remarks"),
    )
    inside = bool(lines) and lines[0].region == "compute"
    name, tab = ("mixed-compute", "Mixed lengths, compute") if inside else ("mixed", "Mixed lengths")
    note = f"{_MIXED_NOTE} {_COMPUTE_NOTE}" if inside else _MIXED_NOTE
    return Sheet(name, tab, f"{tab}: one call of padded rows", note, keys, values, tuple(map(_mixed_row, lines)))


def _mixed_row(line: SpeedLine) -> Row:
    s = line.subject
    keys = (
        str(line.batch),
        f"{line.shortest} to {line.time}",
        wording.export(s),
        s.cell,
        wording.engine(s),
        str(s.threads),
    )
    if line.refused:
        return Row(keys, (), refused=line.refused)
    values = (
        str(line.processes),
        f"{line.samples:,}",
        *map(wording.number, (line.p50_ms, line.p90_ms, line.p99_ms)),
        wording.percent(line.padding),
        wording.rate(line.tokens_per_s),
        wording.between(line.tokens_per_s_low, line.tokens_per_s_high),
        wording.beside_the_fastest(line.to_fastest, tied=line.tied),
        wording.error(line.max_error),
        wording.share(line.error_to_bound),
        line.remarks or "none",
    )
    return Row(keys, values)


def _cold(lines: Iterable[SpeedLine]) -> Sheet:
    keys = ("Workload", "B", "T", "Model / form", "Runtime", "Threads")
    values = ("Processes", "Start ms", "Load ms", "First calls", "First call ms", "Median ms", "Max error", "Of bound")
    rows = tuple(_cold_row(line) for line in lines if line.first_call_ms is not None)
    return Sheet("cold", "Cold start", "Cold start: the first call of a process", _COLD_NOTE, keys, values, rows)


def workload_keys(key: Key) -> tuple[str, ...]:
    """Workload, B, T, export, engine and threads, for a table of all workloads."""
    s, kind, batch, time, new, shortest, region = key
    steps = wording.steps(time, new, shortest)
    return (wording.workload(kind, region), str(batch), steps, wording.export(s), wording.engine(s), str(s.threads))


def _cold_row(line: SpeedLine) -> Row:
    keys = workload_keys(line[:7])
    started = map(wording.number, (line.spawn_ms, line.load_ms))
    called = (str(line.first_calls), *map(wording.number, (line.first_call_ms, line.p50_ms)))
    return Row(
        keys,
        (str(line.processes), *started, *called, wording.error(line.max_error), wording.share(line.error_to_bound)),
    )


def _memory(lines: Iterable[MemoryLine]) -> Sheet:
    keys = ("Workload", "B", "T", "Model / form", "Runtime", "Threads")
    values = ("File MiB", "Weights MiB", "Loaded MiB", "Peak MiB", "Max error", "Of bound")
    rows = tuple(map(_memory_row, lines))
    return Sheet("memory", "Memory", "Memory: resident, in a process of its own", _MEMORY_NOTE, keys, values, rows)


def _memory_row(line: MemoryLine) -> Row:
    keys = workload_keys(line[:7])
    if line.refused:
        return Row(keys, (), refused=line.refused)
    sizes = map(wording.number, (line.file_mib, line.weights_mib, line.engine_mib, line.peak_mib))
    return Row(keys, (*sizes, wording.error(line.max_error), wording.share(line.error_to_bound)))
