"""Panels of dots, one row a subject: errors against their bounds, and the speed of the same subjects beside them."""

from collections.abc import Sequence

import altair as alt
import pandas as pd

from lstmbench.report import axes
from lstmbench.report.axes import Axis
from lstmbench.report.look import INK, MUTED, Look
from lstmbench.report.panels import CONFIG, Panel, colour
from lstmbench.report.speed import SpeedLine
from lstmbench.report.verdicts import ParityLine

WIDTH, ROW_PX = 250, 46
_ERRORS = ("max_error", "float32_error", "bound")
_RATES = ("tokens_per_s", "tokens_per_s_low", "tokens_per_s_high")


def parity_panel(lines: Sequence[ParityLine], look: Look) -> Panel:
    """Error of each output (dot) against its bound (bar) and against NumPy's own error in its precision (ring)."""
    frame = _frame(lines, _ERRORS, look)
    frame["said"] = [f"{line.output} {line.verdict}" if line.reason else line.output for line in lines]
    x = axes.log_axis(value for name in _ERRORS for value in frame[name] if value > 0)
    frame = frame.assign(**{name: frame[name].clip(lower=x.low) for name in _ERRORS})  # an exact 0 stands at the edge
    frame["said_at"] = frame[["max_error", "bound"]].max(axis=1)
    base = _rows(frame, look).encode(yOffset=alt.YOffset("output:N", sort=list(frame["output"].unique())))
    bound = base.encode(x=_rightward("bound", x, "absolute error", ".0e"))
    layers = [
        base.mark_rule(opacity=0.35).encode(x=alt.X("max_error:Q"), x2="bound", color=colour(look)),
        bound.mark_tick(thickness=2.5, size=10, color=INK),
        base.mark_point(size=34, filled=True, opacity=1).encode(x="max_error:Q", color=colour(look)),
        base.mark_point(size=70, color=MUTED, strokeWidth=1.2, opacity=1).encode(x="float32_error:Q"),
        base.mark_text(align="left", dx=7, fontSize=9, color=MUTED).encode(x="said_at:Q", text="said"),
    ]
    return _finished(layers, look, "Error against bound")


def speed_panel(lines: Sequence[SpeedLine], look: Look, title: str) -> Panel:
    """Throughput of each subject at one shape, a line from its slowest to its fastest round; or `refused`."""
    frame = _frame(lines, _RATES, look)
    x = axes.log_axis(value for name in _RATES for value in frame[name].dropna())
    timed = _rows(frame[frame["refused"] == ""], look).encode(color=colour(look))
    refused = _rows(frame[frame["refused"] != ""], look)
    layers = [
        timed.mark_rule(strokeWidth=2, opacity=0.5).encode(x=alt.X(f"{_RATES[1]}:Q"), x2=_RATES[2]),
        timed.mark_point(size=46, filled=True, opacity=1).encode(x=_rightward(_RATES[0], x, "tokens/s", "~s")),
        refused.mark_text(align="left", fontSize=10, color=MUTED, text="refused").encode(x=alt.value(6)),
    ]
    return _finished(layers, look, title)


def _frame(lines: Sequence[ParityLine | SpeedLine], numbers: Sequence[str], look: Look) -> pd.DataFrame:
    names = [{"runtime": line.subject.runtime, "series": look.names[line.subject]} for line in lines]
    records = [line._asdict() | named for line, named in zip(lines, names, strict=True)]
    frame = pd.DataFrame.from_records(records, exclude=["subject"])
    return frame.astype(dict.fromkeys(numbers, "float64"))  # an absent number is NaN and is not drawn


def _rows(frame: pd.DataFrame, look: Look) -> alt.Chart:
    """Every subject of the report in the same place, whether this panel has something of it or not."""
    axis = alt.Axis(labelColor=INK, labelFontSize=11, labelLimit=480, ticks=False, domain=False, grid=False)
    names = list(dict.fromkeys(look.names.values()))
    return alt.Chart(frame).encode(y=alt.Y("series:N", title=None, scale=alt.Scale(domain=names), axis=axis))


def _rightward(field: str, x: Axis, title: str, number_format: str) -> alt.X:
    scale = alt.Scale(type="log", domain=[x.low, x.high], nice=False)
    return alt.X(f"{field}:Q", title=title, scale=scale, axis=alt.Axis(values=list(x.ticks), format=number_format))


def _finished(layers: Sequence[alt.Chart], look: Look, title: str) -> Panel:
    height = ROW_PX * len(set(look.names.values()))
    panel: Panel = alt.layer(*layers, width=WIDTH, height=height, title=title).configure(**CONFIG)
    return panel
