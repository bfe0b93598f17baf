"""One panel of lines: a measure against batch or length, one line a series, named where it ends."""

from collections.abc import Mapping, Sequence
from typing import Any, Literal, NamedTuple, TypeAlias

import altair as alt
import pandas as pd

from lstmbench.report import axes
from lstmbench.report.axes import Axis
from lstmbench.report.drift import DriftPoint, series
from lstmbench.report.look import CELLS, DASHES, GRID, INK, MUTED, SHAPES, Look
from lstmbench.report.speed import SpeedLine

Across: TypeAlias = Literal["batch", "time", "step"]
Panel: TypeAlias = alt.LayerChart

WIDTH, HEIGHT, LABEL_PX = 220, 220, 13
CONFIG: Mapping[str, Any] = {
    "aria": False,
    "background": "transparent",
    "font": "Helvetica, Arial, sans-serif",
    "view": {"stroke": None},
    "axis": {
        "domainColor": MUTED,
        "tickColor": MUTED,
        "gridColor": GRID,
        "labelColor": MUTED,
        "titleColor": INK,
        "labelFontSize": 11,
        "titleFontSize": 12,
        "titleFontWeight": "normal",
    },
    "title": {"color": INK, "fontSize": 13, "anchor": "start", "frame": "group", "offset": 10},
}
SIZES = {"batch": "Batch B, rows a call", "time": "Length T, tokens a row", "step": "Steps run"}


class Measure(NamedTuple):
    """What is drawn upward: the value, the ends of its band, the title of its axis."""

    value: str
    low: str
    high: str
    title: str


LATENCY = Measure("p50_ms", "p50_ms", "p90_ms", "Median latency, ms (band: to p90)")
DRIFT = Measure("max_error", "max_error", "max_error", "Largest error")
THROUGHPUT = Measure(
    "tokens_per_s",
    "tokens_per_s_low",
    "tokens_per_s_high",
    "Throughput, tokens/s (band: 95 % interval)",
)


def line_panel(
    lines: Sequence[SpeedLine | DriftPoint], *, across: Across, measure: Measure, y: Axis, look: Look, title: str
) -> Panel:
    """Lines with points, a faint band where the samples carry one, and each series' name at its last point.

    Dashes and shapes tell cells apart; over steps, where a panel has one cell and lines lie on one another, series.
    """
    drawn = {"series", "runtime", "cell", across, measure.value, measure.low, measure.high}
    frame = _frame(lines, look)[sorted(drawn)].sort_values(["series", across])
    steps = across == "step"
    x = axes.log_axis(frame[across]) if steps else axes.measured(frame[across])
    told = ("series", sorted(frame["series"].unique())) if steps else ("cell", CELLS)
    base = alt.Chart(frame).encode(
        x=alt.X(f"{across}:Q", title=SIZES[across], scale=_scale(x), axis=_axis(x, ",d", grid=False)),
        color=colour(look),
        detail="series:N",
    )
    upward = _upward(measure.value, measure, y)
    layers = [
        base.mark_area(opacity=0.16).encode(y=_upward(measure.low, measure, y), y2=measure.high),
        base.mark_rule(opacity=0.5).encode(y=_upward(measure.low, measure, y), y2=measure.high),
        base.mark_line(strokeWidth=1.8).encode(y=upward, strokeDash=_by(alt.StrokeDash, told, DASHES)),
        base.mark_point(size=16 if steps else 38, filled=True, opacity=1).encode(
            y=upward, shape=_by(alt.Shape, told, SHAPES)
        ),
        *_names(frame, across, measure, y, look),
    ]
    panel: Panel = alt.layer(*layers, width=WIDTH, height=HEIGHT, title=title).configure(**CONFIG)
    return panel


def colour(look: Look) -> alt.Color:
    """The runtime's colour, the same in every chart."""
    scale = alt.Scale(domain=list(look.colours), range=list(look.colours.values()))
    return alt.Color("runtime:N", scale=scale, legend=None)


def _frame(lines: Sequence[SpeedLine | DriftPoint], look: Look) -> pd.DataFrame:
    return pd.DataFrame.from_records(
        [{**x.subject._asdict(), **x._asdict(), "subject": "", "series": _series(x, look)} for x in lines]
    )


def _series(line: SpeedLine | DriftPoint, look: Look) -> str:
    return series(line) if isinstance(line, DriftPoint) else look.names[line.subject]


def _names(frame: pd.DataFrame, across: Across, measure: Measure, y: Axis, look: Look) -> list[alt.Chart]:
    """A name beside the panel for each series, moved apart, with a thin line to its last point."""
    last = frame.groupby("series", as_index=False).last()
    parts = [y.part(value) for value in last[measure.value]]
    last["name_at"] = [y.value(part) for part in axes.apart(parts, LABEL_PX / HEIGHT)]
    base = alt.Chart(last).encode(color=colour(look), y=_upward("name_at", measure, y))
    leader = base.mark_rule(opacity=0.45, strokeWidth=1).encode(
        x=f"{across}:Q", x2=alt.value(WIDTH + 8), y=_upward(measure.value, measure, y), y2="name_at"
    )
    words = base.mark_text(align="left", baseline="middle", fontSize=11, limit=480)
    return [leader, words.encode(x=alt.value(WIDTH + 11), text="series")]


def _upward(field: str, measure: Measure, y: Axis) -> alt.Y:
    return alt.Y(f"{field}:Q", title=measure.title, scale=_scale(y), axis=_axis(y, _number_format(y)))


def _number_format(axis: Axis) -> str:
    """A format in which no two ticks have one label."""
    if axis.log and axis.low < 1e-3:
        digits = next((n for n in range(6) if len({f"{tick:.{n}e}" for tick in axis.ticks}) == len(axis.ticks)), 6)
        return f".{digits}~e"
    return "~s" if axis.high >= 1e4 else "~g"


def _by(channel: Any, told: tuple[str, Sequence[str]], looks: Sequence[Any]) -> Any:
    """A look for each value of a field; they come round again where there are more values."""
    field, values = told
    scale = alt.Scale(domain=list(values), range=[looks[n % len(looks)] for n in range(len(values))])
    return channel(f"{field}:N", scale=scale, legend=None)


def _scale(axis: Axis) -> alt.Scale:
    return alt.Scale(type="log" if axis.log else "linear", domain=[axis.low, axis.high], nice=False)


def _axis(axis: Axis, number_format: str, *, grid: bool = True) -> alt.Axis:
    return alt.Axis(values=list(axis.ticks), format=number_format, grid=grid)
