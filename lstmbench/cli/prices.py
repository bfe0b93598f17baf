"""`lstmbench prices`: one model in all forms and precisions on all runtimes, and what to take."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, get_args

import typer

from lstmbench.cli.bench import REFUSED_ROWS, say_lost
from lstmbench.cli.check import Mixed, Models, Runtimes
from lstmbench.cli.export import trained, unseen_text
from lstmbench.cli.screen import say, spinner, tables
from lstmbench.cli.verdicts import say_refused
from lstmbench.records import MOST_THREADS, Precision

if TYPE_CHECKING:
    from collections.abc import Sequence


def prices(  # noqa: PLR0913, PLR0917 (one argument an option)
    names: Annotated[
        list[str] | None, typer.Argument(help="Model folders, or names under --models; all that are trained if none.")
    ] = None,
    form: Annotated[
        list[str] | None, typer.Option(help="lstm, scan, loop, step, unrolledN; all but the last if none.")
    ] = None,
    precision: Annotated[list[str] | None, typer.Option(help="fp32, fp16, int8, int4, int4a8; all if none.")] = None,
    runtime: Runtimes = None,
    batch: Annotated[list[int] | None, typer.Option(help="B of a call. [default: 1, 8, 32]")] = None,
    time: Annotated[list[int] | None, typer.Option(help="T of a call. [default: 64]")] = None,
    text: Annotated[
        str | None,
        typer.Option(help="Unseen text to score precisions below fp32 on; the test part of its own if none."),
    ] = None,
    threads: Annotated[
        list[int] | None, typer.Option(min=1, max=MOST_THREADS, help="A runtime may use. [default: 1]")
    ] = None,
    seconds: Annotated[float, typer.Option(help="Of sampling a case.")] = 0.5,
    processes: Annotated[int, typer.Option(min=1, max=1000, help="A case is timed in.")] = 6,
    limit: Annotated[
        float, typer.Option(min=0, help="Seconds that the check of a file on a runtime may take; beyond it is refused.")
    ] = 120,
    out: Annotated[Path, typer.Option(help="The run's folder; a second call goes on in it.")] = Path("reports/prices"),
    models: Models = Path("models"),
    allow_mixed: Mixed = False,
) -> None:
    """Compare forms, precisions, runtimes, threads and batches of a model: speed, loss, memory, and what to take.

    Options may be given several times. Exit status 3 if a row was refused.
    """
    from lstmbench.bench import Effort, grid
    from lstmbench.flows.prices import Wanted, list_prices
    from lstmbench.report import advice_tables, extra, render
    from lstmbench.runtimes import available

    extra.demand()
    workloads = grid(batches=batch or [1, 8, 32], times=time or [64], kinds=("score", "decode"))
    wanted = Wanted(
        form or [],
        _precisions(precision),
        runtime or available(),
        threads or [1],
        workloads,
    )
    with spinner() as progress:
        done = list_prices(
            list(trained(names, models)),
            wanted,
            run=out,
            effort=Effort(budget_s=seconds, processes=processes),
            held_out=lambda folder: unseen_text(folder, text, None),
            allow_mixed=allow_mixed,
            most_s=limit,
            progress=progress,
        )
        progress("drawing the report")
        render(out)
    tables(advice_tables(out))
    say_refused(done.clearances)
    for name, why in done.unmade:
        say(f"{name} was not made: {why}", err=True)
    typer.echo()
    say(f"{out / 'index.html'}")
    say_lost(done.measured)
    if any(row.refused for row in done.measured):
        raise typer.Exit(REFUSED_ROWS)


def _precisions(asked: "Sequence[str] | None") -> "list[Precision]":
    from lstmbench.errors import LstmbenchError

    known: tuple[Precision, ...] = get_args(Precision)
    for name in asked or ():
        if name not in known:
            raise LstmbenchError(f"no precision {name!r}; there are {', '.join(known)}")
    return [name for name in known if not asked or name in asked]
