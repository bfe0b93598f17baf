"""`detection.md`, `.csv` and a chart: how often rules call a difference that is none, and find one that was planted."""

import csv
import io
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from lstmbench import disk, units
from lstmbench.records import Machine
from lstmbench.report import extra, summary
from lstmbench.report.markdown import escape, table
from lstmbench.report.sheets import Row, Sheet
from lstmbench.report.terminal import TerminalTable

if TYPE_CHECKING:
    from lstmbench.report.panels import Panel  # of altair

PLANTED = (0, 2, 5)  # per cent
_CONFIDENCE = 0.95
_PROMISED = {0: (0.0, 0.01), 2: (0.9, 1.0), 5: (0.99, 1.0)}  # of comparisons that are called, by what was planted
_COLOURS = {"nothing": "#a52a3c", "2 % slower": "#bf4d00", "5 % slower": "#0067a8"}
_CONDITIONS = {False: "As the machine is", True: "With other processes on every core"}
_NOTE = (
    "Calls of a fifth of a millisecond, each in processes of its own that take turns: of what is the same, how often a "
    "rule calls it slower or faster, and the largest share that this leaves open at 95 % (Clopper and Pearson); of "
    "what does 2 % and 5 % more work, how often it is called slower. All rules see the same samples; those of other "
    "tools were made for samples that their own tools take."
)


class Rate(NamedTuple):
    """How many of so many comparisons a rule called slower or faster; of planted ones, slower."""

    loaded: bool
    rule: str
    planted: int  # per cent
    called: int
    of: int
    cost_s: float = 0.0  # of a comparison: warm-up and samples of both sides, the median

    @property
    def kept(self) -> bool:
        """Whether it is what is promised."""
        low, high = _PROMISED[self.planted]
        return low <= self.called / self.of <= high

    @property
    def at_most(self) -> float:
        """The largest share that this leaves open at 95 % (Clopper and Pearson, Biometrika 26, 1934)."""
        from scipy import stats

        return (
            1.0
            if self.called == self.of
            else float(stats.beta.ppf(_CONFIDENCE, self.called + 1, self.of - self.called))
        )


def detection_tables(rates: Sequence[Rate]) -> list[TerminalTable]:
    """A table for each state of the machine."""
    return [
        TerminalTable(sheet.title, (*sheet.keys, *sheet.values), [(*row.keys, *row.values) for row in sheet.rows])
        for sheet in _sheets(rates)
    ]


def render_detection(out: Path, rates: Sequence[Rate], machine: Machine) -> Path:
    """Write the page, the counts as CSV, and the chart as SVG and PNG; takes the extra `report`."""
    extra.demand()
    from lstmbench.report import drawing  # altair takes a second to import

    title = "How often a difference is called one"
    panels = [drawing.draw(_panel(one, _CONDITIONS[busy])) for busy, one in _by_condition(rates)]
    svg = drawing.beside(panels, title=title, caption=f"Of {rates[0].of:,} comparisons each. {_NOTE}")
    disk.make_folder(out / "charts")
    disk.write_atomically(out / "charts/detection.svg", svg.encode())
    disk.write_atomically(out / "charts/detection.png", drawing.png(svg))
    disk.write_atomically(out / "detection.csv", _csv(rates).encode())
    disk.write_atomically(out / "detection.md", ("\n".join(_lines(rates, machine, title)) + "\n").encode())
    return out / "detection.md"


def _panel(rates: Sequence[Rate], title: str) -> "Panel":
    """A row a rule: the share that it called, by what was planted."""
    import altair as alt
    import pandas as pd

    from lstmbench.report.look import INK
    from lstmbench.report.panels import CONFIG

    named = dict(zip(PLANTED, _COLOURS, strict=True))
    points = [{"rule": one.rule, "planted": named[one.planted], "share": one.called / one.of} for one in rates]
    rules = alt.Axis(labelColor=INK, labelFontSize=11, labelLimit=260, ticks=False, domain=False, grid=True)
    colours = alt.Scale(domain=[*_COLOURS], range=[*_COLOURS.values()])
    shapes = alt.Scale(domain=[*_COLOURS], range=["circle", "diamond", "square"])
    chart = (
        alt.Chart(pd.DataFrame(points))
        .mark_point(size=60, filled=True, opacity=1)
        .encode(
            x=alt.X("share:Q", title="called, of all comparisons", axis=alt.Axis(format="%"), scale={"domain": [0, 1]}),
            y=alt.Y("rule:N", title=None, sort=None, axis=rules),
            yOffset=alt.YOffset("planted:N", sort=[*_COLOURS]),
            color=alt.Color("planted:N", title="planted", scale=colours),
            shape=alt.Shape("planted:N", title="planted", scale=shapes),
        )
    )
    height = 46 * len({one.rule for one in rates})
    panel: Panel = alt.layer(chart, width=250, height=height, title=title).configure(**CONFIG)
    return panel


def _lines(rates: Sequence[Rate], machine: Machine, title: str) -> Iterator[str]:
    versions = ", ".join(f"{name} {version}" for name, version in machine.versions.items())
    yield from (f"# {title}", "", escape(_NOTE), "")
    yield from (f"Machine: {escape(summary.place_and_time(machine))}; {escape(versions)}", "")
    yield from (f"![{title}](charts/detection.png)", "")
    for sheet in _sheets(rates):
        yield from (f"## {sheet.title}", "", *table(sheet), "")


def _by_condition(rates: Sequence[Rate]) -> Iterator[tuple[bool, list[Rate]]]:
    for busy in _CONDITIONS:
        if one := [rate for rate in rates if rate.loaded == busy]:
            yield busy, one


def _sheets(rates: Sequence[Rate]) -> Iterator[Sheet]:
    values = ("nothing planted", "at most (95 %)", *(f"+{n} % found" for n in PLANTED[1:]))
    for busy, those in _by_condition(rates):
        cost = units.seconds(those[0].cost_s)
        title = f"{_CONDITIONS[busy]}: called different, of {those[0].of:,} comparisons each; one samples for {cost}"
        rules = dict.fromkeys(rate.rule for rate in those)
        rows = tuple(_row([rate for rate in those if rate.rule == rule]) for rule in rules)
        yield Sheet("detection", "Detection", title, _NOTE, ("rule",), values, rows)


def _row(of_a_rule: Sequence[Rate]) -> Row:
    none, *planted = of_a_rule
    return Row(
        (none.rule,),
        (f"{none.called:,}", f"{float(f'{100 * none.at_most:.2g}'):g} %", *(f"{one.called:,}" for one in planted)),
    )


def _csv(rates: Sequence[Rate]) -> str:
    text = io.StringIO()
    rows = csv.writer(text, lineterminator="\n")
    rows.writerow(("loaded", "rule", "planted_percent", "called", "of", "at_most", "cost_s"))
    rows.writerows(
        (int(one.loaded), one.rule, one.planted, one.called, one.of, f"{one.at_most:.6f}", f"{one.cost_s:.6f}")
        for one in rates
    )
    return text.getvalue()
