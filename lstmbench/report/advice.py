"""What to take, by what matters most; what is not told apart is named together."""

from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

from lstmbench.report import wording
from lstmbench.report.prices import PriceLine, loss
from lstmbench.report.sheets import Row, Sheet

MOST_LOSS = 0.01  # of perplexity, where something may be given up
_REFERENCE = "numpy"
_MEMORY_ERROR = 0.03  # of a resident set: what `selftest` holds it to
_NOTE = (
    "Of what was checked and timed in this run, without NumPy's reference, which every process here holds. A tie is no "
    "further from the best than the smallest difference that the run tells (of memory: "
    f"{100 * _MEMORY_ERROR:.0f} %); of ties the one that gives up least is named. Where something may be given up, it "
    f"is {100 * MOST_LOSS:.0f} % of perplexity, by the 95 % bound in the file's record, which is "
    "measured at export; `lstmbench check` measures it again."
)
_KEYS = ("Model", "Wanted", "May give up")
_VALUES = ("Take", "Figure", "Loss, at most", "Tied with it")


class Advice(NamedTuple):
    """The best of a model for one target, and those that this run does not tell from it; or why none is named."""

    folder: str
    target: str
    most_loss: float
    best: PriceLine | None  # absent where none can be told
    figure: str  # of the best, or why there is none
    tied: tuple[PriceLine, ...]  # without the best


class _Target(NamedTuple):
    name: str
    lines: Sequence[PriceLine]
    worth: Callable[[PriceLine], float]  # the smaller the better
    figure: Callable[[PriceLine], str]
    least: float | None  # share of a worth that is told; absent where that is not known


def advice(lines: Sequence[PriceLine], least: float | None) -> list[Advice]:
    """By model and target, without loss and with some; `least`: the share of a time that the run can tell.

    Nothing of a model that has one case alone.
    """
    found = []
    for folder in dict.fromkeys(line.folder for line in lines):
        own = [line for line in lines if line.folder == folder and line.subject.runtime != _REFERENCE]
        if len({line.subject for line in own}) > 1:
            found += [_best(folder, target, limit) for target in _targets(own, least) for limit in (0.0, MOST_LOSS)]
    return found


def advice_sheets(found: Sequence[Advice]) -> list[Sheet]:
    """As one table."""
    if not found:
        return []
    rows = tuple(_row(one, first=n == 0 or one.folder != found[n - 1].folder) for n, one in enumerate(found))
    return [
        Sheet(
            *("advice", "What to take", "What to take", _NOTE, _KEYS, _VALUES, rows),
            words=("Take", "Tied with it"),
            wrapped=("Tied with it",),
        )
    ]


def may_give_up(one: Advice) -> str:
    """What the target leaves open: 'nothing', or the most of perplexity."""
    return f"{100 * one.most_loss:.0f} %" if one.most_loss else "nothing"


def _targets(lines: Sequence[PriceLine], least: float | None) -> Iterator[_Target]:
    for kind, doing, what in (("score", "scoring", "one call"), ("decode", "decoding", "one token")):
        of_kind = [line for line in lines if line.workload == kind]
        if of_kind:
            smallest = min((line.batch, -line.time) for line in of_kind)
            single = [line for line in of_kind if (line.batch, -line.time) == smallest]
            shape = f"B = {smallest[0]}" + f", T = {-smallest[1]}" * (kind == "score")
            yield _Target(f"latency of {what}, {shape}", single, lambda line: line.p50_ms, _latency, least)
            yield _Target(f"throughput of {doing}", of_kind, lambda line: 1 / line.tokens_per_s, _throughput, least)
    weighed = [line for line in lines if line.memory_mib is not None]
    if weighed:
        smallest_shape = min(line[1:4] for line in weighed)
        there = [line for line in weighed if line[1:4] == smallest_shape]
        yield _Target("memory", there, lambda line: line.memory_mib or 0.0, _memory, _MEMORY_ERROR)
    sized = [line for line in lines if line.install_mb is not None]
    if sized:
        smallest_shape = min(line[1:4] for line in sized)
        there = [line for line in sized if line[1:4] == smallest_shape]
        yield _Target("install", there, lambda line: line.install_mb or 0.0, _install, 0.0)


def _best(folder: str, target: _Target, limit: float) -> Advice:
    open_to = [line for line in target.lines if line.loss is not None and line.loss <= limit]
    if not open_to or target.least is None:
        why = "cannot tell: fewer than six processes" if open_to else "nothing that was timed"
        return Advice(folder, target.name, limit, None, why, ())
    floor = min(map(target.worth, open_to)) * (1 + target.least)
    best, *others = sorted(
        (line for line in open_to if target.worth(line) <= floor),
        key=lambda line: (line.loss, target.worth(line), line.p50_ms),
    )
    return Advice(folder, target.name, limit, best, target.figure(best), tuple(others))


def _latency(line: PriceLine) -> str:
    return f"{wording.number(line.p50_ms)} ms"


def _throughput(line: PriceLine) -> str:
    return f"{wording.rate(line.tokens_per_s)} tokens/s at B = {line.batch}" + (
        f", T = {line.time}" if line.workload == "score" else ""
    )


def _install(line: PriceLine) -> str:
    return f"{wording.number(line.install_mb)} MB"


def _memory(line: PriceLine) -> str:
    return f"{wording.number(line.memory_mib)} MiB"


def _row(one: Advice, *, first: bool) -> Row:
    if one.best is None:
        return Row((one.folder, one.target, may_give_up(one)), (one.figure, *["n/a"] * 3), first=first)
    taken = (one.best.name, one.figure, loss(one.best), _tied(one))
    return Row((one.folder, one.target, may_give_up(one)), taken, first=first)


def _tied(one: Advice) -> str:
    """By name; where several shapes take part, with them."""
    shapes = {line[2:4] for line in (one.best, *one.tied) if line}
    names = (line.name + f" at {line.batch}×{line.time}" * (len(shapes) > 1) for line in one.tied)
    return "; ".join(names) or "none"
