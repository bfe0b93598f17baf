"""Latency against throughput: a point a case, and a line through those that nothing beats in both."""

from collections.abc import Iterator, Sequence
from typing import Any

import altair as alt
import pandas as pd

from lstmbench.report import axes
from lstmbench.report.advice import MOST_LOSS
from lstmbench.report.axes import Axis
from lstmbench.report.drawing import Drawing, draw
from lstmbench.report.figures import NAMES, Figure
from lstmbench.report.look import INK, MUTED, Look
from lstmbench.report.panels import CONFIG, colour
from lstmbench.report.prices import PriceLine, loss

_CAPTION = (
    "A point a case: the median of one call, or of one step, against its tokens a second. Circle: nothing given up; "
    f"triangle: up to {100 * MOST_LOSS:.0f} % of perplexity, with 95 % confidence; cross: more, or not known. The line "
    "joins what no other circle or triangle beats in both; those are named, and each runtime's highest throughput, "
    "with B and what they give up."
)
_WIDTH, _HEIGHT, _LABEL_PX = 330, 330, 13
_SHAPES = {"nothing": "circle", "little": "triangle-up", "much": "cross"}
_WHAT = {"score": "scoring", "decode": "decoding"}


def cloud_figures(lines: Sequence[PriceLine], look: Look) -> Iterator[Figure]:
    """A panel a model and kind of workload; nothing where there is no choice."""
    panels = list[Drawing]()
    for folder, kind in dict.fromkeys((line.folder, line.workload) for line in lines if line.workload in _WHAT):
        there = [line for line in lines if (line.folder, line.workload) == (folder, kind)]
        if len({line.subject for line in there}) > 1:
            panels.append(draw(_panel(there, look, f"{folder}: {_WHAT[kind]}")))
    if panels:
        width = max(panel.width for panel in panels)
        same = tuple(panel._replace(width=width) for panel in panels)
        yield Figure(NAMES[7], "What speed costs: latency against throughput", _CAPTION, same)


def frontier(lines: Sequence[PriceLine]) -> list[PriceLine]:
    """From the lowest latency on, each that has a higher throughput than all that are faster."""
    found = list[PriceLine]()
    for line in sorted(lines, key=lambda line: (line.p50_ms, -line.tokens_per_s)):
        if not found or line.tokens_per_s > found[-1].tokens_per_s:
            found.append(line)
    return found


def _named(lines: Sequence[PriceLine], best: Sequence[PriceLine]) -> list[PriceLine]:
    """The frontier, and of each runtime that is not on it the case of the highest throughput: colours may repeat."""
    runtimes = dict.fromkeys(line.subject.runtime for line in lines)
    there = {line.subject.runtime for line in best}
    own = ([line for line in lines if line.subject.runtime == name] for name in runtimes if name not in there)
    return [*best, *(max(some, key=lambda line: (line.tokens_per_s, -line.p50_ms)) for some in own)]


def given_up(line: PriceLine) -> str:
    """Which of the chart's shapes it has."""
    if line.loss is None or line.loss > MOST_LOSS:
        return "much"
    return "little" if line.loss > 0 else "nothing"


def _panel(lines: Sequence[PriceLine], look: Look, title: str) -> alt.LayerChart:
    x, y = axes.log_axis(line.p50_ms for line in lines), axes.log_axis(line.tokens_per_s for line in lines)
    best = frontier([line for line in lines if given_up(line) != "much"])
    shape = alt.Shape("loss:N", scale=alt.Scale(domain=list(_SHAPES), range=list(_SHAPES.values())), legend=None)
    across, up = (
        _channel("p50_ms", alt.X, x, "Median latency, ms", "~g"),
        _channel("rate", alt.Y, y, "Throughput, tokens/s"),
    )
    frame = _frame(lines, look)
    told = colour(look).legend(
        title=None, orient="bottom", columns=3, labelColor=MUTED, values=sorted(frame["runtime"].unique())
    )
    every = alt.Chart(frame).encode(x=across, y=up, color=told, shape=shape)
    layers = [every.mark_point(size=34, filled=True, opacity=0.55)]
    if best:
        shown = _frame(_named(lines, best), look)
        shown["name_at"] = [y.value(part) for part in _labels([y.part(rate) for rate in shown["rate"]])]
        named = alt.Chart(shown).encode(x=across, color=told)
        joined = alt.Chart(_frame(best, look)).mark_line(strokeWidth=1.2, color=INK, opacity=0.5)
        layers += [
            joined.encode(x=across, y=up),
            named.mark_rule(opacity=0.3, strokeWidth=1).encode(y=up, x2=alt.value(_WIDTH + 8), y2=alt.Y2("name_at:Q")),
            named.mark_text(align="left", baseline="middle", fontSize=11, limit=480).encode(
                x=alt.value(_WIDTH + 11), y=_channel("name_at", alt.Y, y, "Throughput, tokens/s"), text="name"
            ),
        ]
    panel: alt.LayerChart = alt.layer(*layers, width=_WIDTH, height=_HEIGHT, title=title).configure(**CONFIG)
    return panel


def _labels(parts: Sequence[float]) -> list[float]:
    return axes.apart(parts, _LABEL_PX / _HEIGHT)


def _frame(lines: Sequence[PriceLine], look: Look) -> pd.DataFrame:
    return pd.DataFrame.from_records(
        [
            {
                "p50_ms": line.p50_ms,
                "rate": line.tokens_per_s,
                "loss": given_up(line),
                "runtime": line.subject.runtime,
                "name": f"{_shape(line)}: {look.names[line.subject]}" + f", {loss(line)}" * bool(line.loss),
            }
            for line in lines
        ]
    )


def _shape(line: PriceLine) -> str:
    """A step costs the same whatever T."""
    return f"{line.batch}×{line.time}" if line.workload == "score" else f"B {line.batch}"


def _channel(field: str, kind: Any, axis: Axis, title: str, number_format: str = "~s") -> Any:
    scale = alt.Scale(type="log", domain=[axis.low, axis.high], nice=False)
    return kind(f"{field}:Q", title=title, scale=scale, axis=alt.Axis(values=list(axis.ticks), format=number_format))
