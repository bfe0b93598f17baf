"""`lstmbench arrivals`: check, then let queries arrive as they do in use."""

import importlib.util
from pathlib import Path
from typing import Annotated

import typer

from lstmbench.cli.check import Mixed, Models, Names, Run, Runtimes, Threads
from lstmbench.cli.folders import all_exports
from lstmbench.cli.screen import say, spinner, tables
from lstmbench.cli.verdicts import say_refused
from lstmbench.records import Scenario

REFUSED_ROWS = 3


def arrivals(  # noqa: PLR0913, PLR0917 (one argument an option)
    names: Names = None,
    runtime: Runtimes = None,
    scenario: Annotated[Scenario, typer.Option(help="How queries arrive.")] = "server",
    time: Annotated[int, typer.Option(min=1, max=2**22, help="T of a row.")] = 64,
    batch: Annotated[int, typer.Option(min=1, max=2**22, help="Rows a call of multi-stream and offline.")] = 1,
    rate: Annotated[float | None, typer.Option(min=0.001, max=1e6, help="Queries a second of server.")] = None,
    within_ms: Annotated[float | None, typer.Option(min=0.001, max=1e6, help="Bound on the latency of server.")] = None,
    percentile: Annotated[float, typer.Option(min=1, max=99.99, help="That LoadGen judges.")] = 99.0,
    seconds: Annotated[float, typer.Option(min=0.01, max=86400, help="Of sending, at least.")] = 10.0,
    threads: Threads = 1,
    out: Run = Path("reports/run"),
    models: Models = Path("models"),
    allow_mixed: Mixed = False,
) -> None:
    """Time what passed the check as MLPerf LoadGen sends it queries; exit status 3 if a row was refused.

    Latency counts from the arrival of a query. Needs the extra 'loadgen'.
    """
    from lstmbench.errors import LstmbenchError, RuntimeMissingError
    from lstmbench.flows.serve import serve
    from lstmbench.records import Arrivals
    from lstmbench.report import arrivals_table
    from lstmbench.runtimes import available
    from lstmbench.worker.arrivals import NEEDS

    if importlib.util.find_spec("mlperf_loadgen") is None:
        raise RuntimeMissingError(NEEDS)
    if {rate is not None, within_ms is not None} != {scenario == "server"}:
        raise LstmbenchError("scenario server needs --rate and --within-ms, other scenarios take neither")
    try:
        asked = Arrivals(
            scenario=scenario,
            batch=batch,
            time=time,
            seconds=seconds,
            rate=rate or 0.0,
            within_s=(within_ms or 0.0) / 1e3,
            percentile=percentile / 100,
        )
    except ValueError as error:
        raise LstmbenchError(f"cannot be asked: {error}") from error
    with spinner() as progress:
        checked, rows = serve(
            all_exports(names, models),
            runtime or available(),
            asked,
            run=out,
            threads=threads,
            allow_mixed=allow_mixed,
            progress=progress,
        )
    tables([arrivals_table(out, rows)])
    say_refused(checked.clearances)
    say(f"{out / 'arrivals.jsonl'}")
    if any(row.refused for row in rows):
        raise typer.Exit(REFUSED_ROWS)
