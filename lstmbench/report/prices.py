"""What is paid for speed: time, memory and quality of one case in one line."""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from lstmbench.plain import plain
from lstmbench.records import Cost, Install, labelled
from lstmbench.report import wording
from lstmbench.report.memory import MemoryLine, memory_lines
from lstmbench.report.raw import Raw
from lstmbench.report.sheets import Row, Sheet
from lstmbench.report.speed import SpeedLine
from lstmbench.report.subjects import NOT_MIXED, SubjectColumns

_NOTE = (
    "Every case that was checked and timed, the fastest of its shape first. Loss: what perplexity rises by at most, "
    "with 95 % confidence (of bare layers the relative error of their outputs), as it was measured when the file was "
    "exported and stands in its record; `lstmbench check` measures it again on each runtime. 0 in float32. Memory: "
    "the engine with its model loaded, and the most that the workload took over that; n/a of engines that compute in "
    "another process. Install: the engine with all that it requires, as packages have it, in 1e6 bytes; Node.js, "
    "Chromium and compilers are the system's, and not counted."
)
_KEYS = ("Workload", "B", "T", "Model / form", "Runtime", "Threads")
_VALUES = ("Median ms", "Tokens/s", "Loss, at most", "Memory MiB", "Install MB", "Of bound")


class PriceLine(NamedTuple):
    """One timed case; what is not known is absent."""

    subject: SubjectColumns
    workload: str
    batch: int
    time: int
    p50_ms: float
    tokens_per_s: float
    error_to_bound: float | None
    loss: float | None = None  # share of perplexity, at most with 95 % confidence
    memory_mib: float | None = None
    install_mb: float | None = None  # of the engine and all that it requires, 1e6 bytes

    @property
    def folder(self) -> str:
        """The model that it computes, whatever its form and precision."""
        return self.subject.model.rpartition("/")[0] or self.subject.model

    @property
    def name(self) -> str:
        """Export, runtime and threads, told apart from all others of its model."""
        threads = f", {wording.several(self.subject.threads, 'thread')}"
        return (
            f"{wording.export(self.subject).removeprefix(f'{self.folder}/')} · {wording.engine(self.subject)}{threads}"
        )


def priced(recorded: Raw, speed: Sequence[SpeedLine]) -> list[PriceLine]:
    """The lines of a run, of which `speed` are the cases."""
    timed = {(row.subject.model, row.subject.model_sha256) for row in recorded.measurements}
    costs = [cost for cost in recorded.costs if (cost.model, cost.model_sha256) in timed]  # of these very files
    return price_lines(speed, memory_lines(recorded.weights, speed), costs, recorded.installs)


def price_lines(
    speed: Iterable[SpeedLine], memory: Iterable[MemoryLine], costs: Iterable[Cost], installs: Iterable[Install] = ()
) -> list[PriceLine]:
    """A line for each case with a number that ran where its name says; at each shape the fastest first.

    Of whole rows and end to end: requests, padding and what leaves out its copies have tables of their own.
    """
    weighed = {line[:7]: line for line in memory}
    lost = {cost.model: _loss(cost) for cost in costs}
    whole = [line for line in speed if line.is_plain and line.new is None and line.subject.mixed == NOT_MIXED]
    lines = [_line(line, weighed.get(line.key), lost) for line in whole]
    size_mb = {_engine(one): one.bytes / 1e6 for one in installs}
    sized = [
        line._replace(install_mb=size_mb.get((line.subject.runtime, line.subject.version))) for line in lines if line
    ]
    return sorted(sized, key=lambda line: (*line[1:4], line.p50_ms, line.subject))


def price_sheets(lines: Sequence[PriceLine]) -> list[Sheet]:
    """The list; nothing where there is no choice."""
    if len({line.subject for line in lines}) < 2:
        return []
    before, rows = None, []
    for line in lines:
        rows.append(_row(line, first=line[1:4] != before))
        before = line[1:4]
    return [Sheet("prices", "Price list", "Price list: speed, loss and memory", _NOTE, _KEYS, _VALUES, tuple(rows))]


def loss(line: PriceLine) -> str:
    """'+0.01 %'; a sure gain is written as one."""
    return wording.NOT_AVAILABLE if line.loss is None else f"{100 * line.loss:+.2f} %" if line.loss else "0"


def _engine(one: Install) -> tuple[str, str]:
    """Its runtime and version, as `SubjectColumns` has them."""
    return plain(labelled(one.runtime, one.device)), plain(one.runtime_version)


def _loss(cost: Cost) -> float | None:
    quality = cost.quality
    return quality.relative_error if quality.perplexity is None else quality.perplexity_change_at_most


def _line(line: SpeedLine, weighed: MemoryLine | None, lost: dict[str, float | None]) -> PriceLine | None:
    if line.refused or line.p50_ms is None or line.tokens_per_s is None:
        return None
    exact = line.subject.precision == "fp32"
    parts = (weighed.engine_mib, weighed.peak_mib) if weighed else (None, None)
    memory = None if None in parts else sum(part for part in parts if part is not None)
    given_up = 0.0 if exact else lost.get(line.subject.model)
    return PriceLine(*line[:4], line.p50_ms, line.tokens_per_s, line.error_to_bound, given_up, memory)


def _row(line: PriceLine, *, first: bool) -> Row:
    s = line.subject
    keys = (line.workload, str(line.batch), str(line.time), wording.export(s), wording.engine(s), str(s.threads))
    numbers = (wording.number(line.p50_ms), wording.rate(line.tokens_per_s), loss(line))
    sizes = (wording.number(line.memory_mib), wording.number(line.install_mb))
    return Row(keys, (*numbers, *sizes, wording.share(line.error_to_bound)), first=first)
