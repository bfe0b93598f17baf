"""A run's raw files to everything that is derived from them."""

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from lstmbench import disk
from lstmbench.errors import DiskError
from lstmbench.report import extra, interchange, raw
from lstmbench.report.arrivals import arrival_lines
from lstmbench.report.drift import drift_lines
from lstmbench.report.kept_changes import change_lines
from lstmbench.report.memory import memory_lines
from lstmbench.report.noise import Noise, ranked
from lstmbench.report.prices import priced
from lstmbench.report.raw import Raw
from lstmbench.report.requests import request_lines
from lstmbench.report.roofline import roof_lines
from lstmbench.report.speed import SpeedLine
from lstmbench.report.tables import (
    Table,
    arrivals_frame,
    baseline_frame,
    csv,
    latency_frame,
    memory_frame,
    parity_table,
    price_frame,
    requests_frame,
    roofline_frame,
    throughput_frame,
)
from lstmbench.report.verdicts import parity_lines


class Rendered(NamedTuple):
    """What was written, and the tables in it."""

    paths: tuple[Path, ...]
    parity: Table
    latency: Table
    throughput: Table
    memory: Table
    requests: Table
    roofline: Table
    arrivals: Table
    baseline: Table
    prices: Table


def render(run: Path) -> Rendered:
    """Write tables, charts, Markdown and the page beside the raw files of `run`; the same bytes from the same files.

    Each file is replaced atomically. RecordError where a raw file is missing, damaged or of another machine,
    DiskError where the folder cannot be written, RuntimeMissingError without the extra 'report'.
    """
    extra.demand()
    files, tables = contents(raw.read(run))
    _demand_folder(run / "charts")
    for name, data in files.items():
        disk.write_atomically(run / name, data)
    _remove_stale_charts(run, set(files))
    return Rendered(tuple(run / name for name in files), *tables)


def frames(run: Path) -> dict[str, Table]:
    """The tables of a run as pandas DataFrames; nothing is written.

    They are `parity`, `latency`, `throughput`, `memory`, `requests`, `roofline`, `arrivals`, `baseline` and `prices`,
    one row a case. Names end with their unit (`p50_ms`, `tokens_per_s`, `peak_mib`). What the samples cannot carry is
    NaN, what was refused has its reason in `refused` and no number. Errors are those of `render`.
    """
    recorded = raw.read(run)
    speed, _ = ranked(recorded.measurements, recorded.parity)
    return _frames(recorded, speed)


def _frames(recorded: Raw, speed: Sequence[SpeedLine]) -> dict[str, Table]:
    return {
        "parity": parity_table(recorded.parity),
        "latency": latency_frame(speed),
        "throughput": throughput_frame(speed),
        "memory": memory_frame(memory_lines(recorded.weights, speed)),
        "requests": requests_frame(request_lines(recorded.measurements, speed)),
        "roofline": roofline_frame(roof_lines(recorded.roofs, speed)),
        "arrivals": arrivals_frame(arrival_lines(recorded.arrivals, recorded.parity)),
        "baseline": baseline_frame(change_lines(recorded.changes, speed)),
        "prices": price_frame(priced(recorded, speed)),
    }


def contents(recorded: Raw) -> tuple[dict[str, bytes], tuple[Table, ...]]:
    """What `render` writes, by name, and the tables that it returns; nothing is written."""
    speed, noise = ranked(recorded.measurements, recorded.parity)
    tables = _frames(recorded, speed)
    files = {f"{name}.csv": csv(table) for name, table in tables.items()}
    files[interchange.NAME] = interchange.pytest_benchmark(recorded, speed)
    return files | _laid_out(recorded, speed, noise), (*tables.values(),)


def _laid_out(recorded: Raw, speed: Sequence[SpeedLine], noise: Noise) -> dict[str, bytes]:
    from lstmbench.report import (
        cloud,
        document,
        drawing,
        figures,
        look,
        markdown,
        page,
    )  # altair takes a second to import

    parity = parity_lines(recorded.parity)
    drifted = drift_lines(recorded.drift)
    seen = look.look([*document.subjects_of(parity, speed), *(line.subject for line in drifted)])
    drawn = [*figures.figures(parity, speed, seen), *figures.drift_figures(drifted, seen)]
    drawn[1:1] = cloud.cloud_figures(priced(recorded, speed), seen)
    whole = document.document(recorded, parity, speed, noise, drawn)
    files = {"report.md": markdown.markdown(whole).encode(), "index.html": page.page(whole).encode()}
    for figure in drawn:
        svg = drawing.beside(figure.panels, title=figure.title, caption=figure.caption)
        files[f"charts/{figure.name}.svg"] = svg.encode()
        files[f"charts/{figure.name}.png"] = drawing.png(svg)
    return files


def _demand_folder(charts: Path) -> None:
    if charts.is_symlink():
        raise DiskError(f"{charts} is a link: files that are not the report's would be replaced there; take it away")
    disk.make_folder(charts)


def _remove_stale_charts(run: Path, written: set[str]) -> None:
    """Remove charts of an earlier rendering that this one has nothing to draw for; nothing else is touched."""
    from lstmbench.report.figures import NAMES

    for name in (f"charts/{name}.{suffix}" for name in NAMES for suffix in ("svg", "png")):
        if name not in written:
            with disk.writing(run / name):
                (run / name).unlink(missing_ok=True)
