"""The figures of a report: which panels each holds, and the words beside them."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from lstmbench.report import axes, wording
from lstmbench.report.dots import parity_panel, speed_panel
from lstmbench.report.drawing import Drawing, draw
from lstmbench.report.drift import DriftLine, DriftPoint
from lstmbench.report.look import Look
from lstmbench.report.panels import DRIFT, LATENCY, THROUGHPUT, Across, Measure, line_panel
from lstmbench.report.speed import SpeedLine, largest_shape
from lstmbench.report.verdicts import ParityLine

NAMES = (
    "parity-and-speed",
    "scoring-latency-by-batch",
    "scoring-throughput-by-batch",
    "scoring-latency-by-length",
    "scoring-throughput-by-length",
    "decoding-by-batch",
    "drift",
    "latency-against-throughput",
)

_PARITY_CAPTION = (
    "Dot: the largest error of an output over all checked shapes; ring: NumPy's own in the file's precision; "
    "bar: the bound. Beside it the throughput of the same subjects; the line is the 95 % interval of the median."
)
_SCORING_CAPTION = "One call on B × T tokens from zero state."
_SCORING: tuple[tuple[str, Measure, Across, str], ...] = (
    (NAMES[1], LATENCY, "batch", "Scoring: latency against batch"),
    (NAMES[2], THROUGHPUT, "batch", "Scoring: throughput against batch"),
    (NAMES[3], LATENCY, "time", "Scoring: latency against length"),
    (NAMES[4], THROUGHPUT, "time", "Scoring: throughput against length"),
)
_DRIFT_CAPTION = (
    "The largest error over rows and units after so many steps of one free run, a row of panels an export. Colour, "
    "dash and point tell the runtimes apart where lines lie on one another; errors below 1e-9 are drawn there."
)
_CHAOS = " The table names what is chaotic: its error says nothing of the runtime."
_LEAST_SHOWN = 1e-9
_REFUSED_CAPTION = " A line that ends early or lacks a point was refused there; the table says why."


class Figure(NamedTuple):
    """Panels that belong together."""

    name: str
    title: str
    caption: str
    panels: tuple[Drawing, ...]  # all of one width, so that a page scales them alike


def figures(parity: Sequence[ParityLine], speed: Sequence[SpeedLine], look: Look) -> list[Figure]:
    """Every figure of end-to-end times for which there is something to draw; one size alone is no line."""
    speed = [line for line in speed if line.is_plain]
    scored = [line for line in speed if line.workload == "score"]
    decoded = [line for line in speed if line.workload == "decode"]
    return [_parity_and_speed(parity, speed, look), *_scoring(scored, look), *_decoding(decoded, look)]


def _parity_and_speed(parity: Sequence[ParityLine], speed: Sequence[SpeedLine], look: Look) -> Figure:
    panels = [draw(parity_panel(parity, look))]
    for kind, what in (("score", "Scoring"), ("decode", "Decoding"), ("generate", "Generating")):
        there = largest_shape([line for line in speed if line.workload == kind])
        if there:
            title = f"{what} at B = {there[0].batch}, T = {there[0].time}"
            panels.append(draw(speed_panel(there, look, title)))
    return _figure(NAMES[0], "Parity beside speed", _PARITY_CAPTION, panels)


def _scoring(lines: Sequence[SpeedLine], look: Look) -> Iterator[Figure]:
    timed = [line for line in lines if not line.refused]
    for name, measure, across, title in _SCORING:
        if len({getattr(line, across) for line in timed}) > 1:
            panels = list(_by_other_size(timed, across, measure, look))
            yield _figure(name, title, _SCORING_CAPTION + _gaps(lines), panels)


def _by_other_size(lines: Sequence[SpeedLine], across: Across, measure: Measure, look: Look) -> Iterator[Drawing]:
    """One panel for each value of the size that is not on the axis; the panels share their upward axis."""
    other, letter = ("time", "T") if across == "batch" else ("batch", "B")
    y = _upward(lines, measure)
    for size in sorted({getattr(line, other) for line in lines}):
        there = [line for line in lines if getattr(line, other) == size]
        panel = line_panel(there, across=across, measure=measure, y=y, look=look, title=f"{letter} = {size}")
        yield draw(panel)


def _decoding(lines: Sequence[SpeedLine], look: Look) -> Iterator[Figure]:
    timed = [line for line in lines if not line.refused]
    if len({line.batch for line in timed}) < 2:
        return
    longest = max(line.time for line in timed)  # a step costs the same at any length: one length is drawn
    there = [line for line in timed if line.time == longest]
    panels = []
    for measure, title in ((LATENCY, "Between two tokens"), (THROUGHPUT, "Tokens of all rows")):
        y = _upward(there, measure)
        panel = line_panel(there, across="batch", measure=measure, y=y, look=look, title=title)
        panels.append(draw(panel))
    caption = f"Token by token, {longest} steps from zero state; one sample is one step." + _gaps(lines)
    yield _figure(NAMES[5], "Decoding: latency and throughput against batch", caption, panels)


def drift_figures(lines: Sequence[DriftLine], look: Look) -> Iterator[Figure]:
    """A row of panels for each export, one an output; an output's axis is that of all exports of the precision.

    Nothing where no long run was made, or nothing finite came of it.
    """
    finite = [_shown(point) for line in lines for point in line.points if point.max_error is not None]
    panels = []
    for export, output in dict.fromkeys((wording.export(point.subject), point.output) for point in finite):
        points = [point for point in finite if (wording.export(point.subject), point.output) == (export, output)]
        precision = points[0].subject.precision
        alike = [point for point in finite if (point.subject.precision, point.output) == (precision, output)]
        y = axes.log_axis(point.max_error or 0.0 for point in alike)
        panel = line_panel(points, across="step", measure=DRIFT, y=y, look=look, title=f"{export}: {output}")
        panels.append(draw(panel))
    if panels:
        chaos = _CHAOS if any(line.chaotic for line in lines) else ""
        yield _figure(NAMES[6], "Drift: error over a long run", _DRIFT_CAPTION + chaos, panels)


def _shown(point: DriftPoint) -> DriftPoint:
    """With a zero where a logarithmic axis can show it."""
    return point._replace(max_error=max(point.max_error or 0.0, _LEAST_SHOWN))


def _figure(name: str, title: str, caption: str, panels: Sequence[Drawing]) -> Figure:
    width = max(panel.width for panel in panels)
    return Figure(name, title, caption, tuple(panel._replace(width=width) for panel in panels))


def _gaps(lines: Sequence[SpeedLine]) -> str:
    return _REFUSED_CAPTION if any(line.refused for line in lines) else ""


def _upward(lines: Sequence[SpeedLine], measure: Measure) -> axes.Axis:
    ends = [getattr(line, field) for line in lines for field in (measure.value, measure.low, measure.high)]
    return axes.axis(end for end in ends if end is not None)
