"""`lstmbench bench`: check, then time what passed, then draw the report."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal, NamedTuple

import typer

from lstmbench.cli.baseline import Baseline, BaselineModels, Fail, asked, compare, conclude, judge
from lstmbench.cli.check import Mixed, Models, Names, Run, Runtimes, Threads
from lstmbench.cli.folders import all_exports
from lstmbench.cli.screen import say, spinner, tables
from lstmbench.cli.verdicts import say_refused

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lstmbench.bench import Plan
    from lstmbench.records import ExportedModel, Measurement, Region, Workload, WorkloadKind

SLOWER, REFUSED_ROWS = 1, 3
_REGIONS: "dict[str, tuple[Region, ...]]" = {
    "end-to-end": ("end-to-end",),
    "compute": ("compute",),
    "both": ("end-to-end", "compute"),
}


class _Others(NamedTuple):
    """What a grid of one's own may have besides B and T."""

    region: str | None
    new: "list[int] | None"
    shortest: int | None


def bench(  # noqa: PLR0913, PLR0917 (one argument an option)
    names: Names = None,
    runtime: Runtimes = None,
    grid: Annotated[
        str | None, typer.Option(help="What is timed: quick, lm, deepbench, or a TOML file. [default: quick]")
    ] = None,
    batch: Annotated[list[int] | None, typer.Option(help="With --time: a grid of your own.")] = None,
    time: Annotated[list[int] | None, typer.Option(help="With --batch: a grid of your own.")] = None,
    region: Annotated[
        Literal["end-to-end", "compute", "both"] | None,
        typer.Option(help="With --batch and --time: compute leaves out all copies. [default: end-to-end]"),
    ] = None,
    new: Annotated[
        list[int] | None,
        typer.Option(help="With --batch and --time, the prompt's: requests that give so many tokens, one by one."),
    ] = None,
    shortest: Annotated[
        int | None, typer.Option(help="With --batch and --time: rows of mixed lengths, from this to --time.")
    ] = None,
    seconds: Annotated[float, typer.Option(help="Of sampling a case.")] = 0.5,
    processes: Annotated[
        int | None,
        typer.Option(
            min=1, max=1000, help="A case is timed in; six carry an interval. [default: 6; 12 with --baseline]"
        ),
    ] = None,
    threads: Threads = 1,
    out: Run = Path("reports/run"),
    models: Models = Path("models"),
    allow_mixed: Mixed = False,
    baseline: Baseline = None,
    baseline_models: BaselineModels = None,
    fail: Fail = None,
) -> None:
    """Time scoring, decoding and generating of what passed the check; exit status 3 if a row was refused.

    With --baseline, what an earlier run timed takes turns with it; exit status 1 if a limit of --fail is broken.
    """
    from lstmbench import bench as measuring
    from lstmbench.errors import LstmbenchError
    from lstmbench.flows.assess import assess
    from lstmbench.flows.made import made
    from lstmbench.records import Clearance, Measurement
    from lstmbench.report import extra, own_part, render, terminal_tables
    from lstmbench.runtimes import available
    from lstmbench.units import seconds as timed

    wanted = asked(baseline, baseline_models or models, fail)
    plan = _plan(grid, batch, time, _Others(region, new, shortest))
    if names and None not in plan:
        raise LstmbenchError(f"grid {grid} makes its own layers: give no model with it")
    if wanted and [*plan] != [None]:
        raise LstmbenchError(f"grid {grid} makes its own layers, which no earlier run keeps: give --baseline another")
    effort = measuring.Effort(budget_s=seconds, processes=processes or 6)
    if wanted:
        effort = measuring.in_turn(budget_s=seconds, processes=processes or 12)
    exported = all_exports(names, models) if None in plan else []
    compared = compare(wanted, exported, runtime, out=out) if wanted else None
    clearances, measured = list[Clearance](), list[Measurement]()
    with spinner() as progress:
        for layers, workloads in plan.items():
            here = made(layers, out / "models", progress=progress) if layers else exported
            checked, rows = assess(
                _timeable([*here, *(compared.exported if compared else ())], workloads),
                compared.runtimes if compared else runtime or available(),
                workloads,
                run=out,
                threads=[threads],
                effort=effort,
                allow_mixed=allow_mixed,
                progress=progress,
            )
            clearances += checked.clearances
            measured += rows
        judged = judge(compared, out, clearances) if compared else []
        if extra.installed():  # a box that is measured need not have it: the raw files can be drawn elsewhere
            progress("drawing the report")
            render(out)
    tables(terminal_tables(out, [clearance.subject for clearance in clearances]))
    say_refused(clearances)
    typer.echo()
    say(f"{out / 'index.html'}" if extra.installed() else f"{out}: raw samples only; {extra.NEEDS}")
    if own := own_part(measured):
        say(f"the engine's own part of a sample: {timed(own[0])}, {timed(own[1])} at most; it is not subtracted")
    say_lost(measured)
    if compared and conclude(compared, judged, clearances):
        raise typer.Exit(SLOWER)
    if any(row.refused for row in measured):
        raise typer.Exit(REFUSED_ROWS)


def _plan(grid: str | None, batch: "list[int] | None", time: "list[int] | None", others: _Others) -> "Plan":
    from lstmbench import bench as measuring
    from lstmbench.errors import LstmbenchError

    if bool(batch) != bool(time):
        raise LstmbenchError("give --batch and --time together, or a named --grid")
    if any(others) and not batch:
        raise LstmbenchError("give --region, --new and --shortest with --batch and --time; a grid names its own")
    if not batch or not time:
        return measuring.read_grid(grid or "quick")
    if grid:
        raise LstmbenchError("give --batch and --time, or a --grid, not both")
    asked: dict[WorkloadKind, object] = {"score": others.shortest, "request": others.new}
    kinds = [kind for kind, value in asked.items() if value]
    made = measuring.grid(
        batches=batch,
        times=time,
        kinds=kinds or ("score", "decode", "generate"),
        regions=_REGIONS[others.region or "end-to-end"],
        new=others.new or (),
        shortest=others.shortest,
    )
    return {None: made}


def _timeable(exported: "Sequence[ExportedModel]", workloads: "Sequence[Workload]") -> "list[ExportedModel]":
    """Those that some workload can be asked of; the others are named on stderr and left out."""
    from lstmbench.errors import LstmbenchError

    fitting = [one for one in exported if any(work.fits(one) for work in workloads)]
    for one in exported:
        if one not in fitting:
            why = _why_not(one)
            if not fitting:
                raise LstmbenchError(f"nothing here can be timed: {one.name} {why}")
            say(f"{one.name} is left out: it {why}", err=True)
    return fitting


def _why_not(one: "ExportedModel") -> str:
    if one.draws:
        return "draws its tokens itself, in calls of whole rows from NumPy: leave --new, --shortest and --region out"
    if one.steps:
        return f"takes T = {one.steps} a call alone: give --time {one.steps} with --batch"
    return f"is not asked for single steps: {one.model.uncut or 'bare layers have no tokens to feed back'}"


def say_lost(measured: "Sequence[Measurement]") -> None:
    """One line on stderr for each failure that no table shows: of a twin, and where older samples stay."""
    timed = {(row.subject.identity, row.workload, row.process, row.twin) for row in measured if row.timing}
    for row in measured:
        stays = (row.subject.identity, row.workload, row.process, row.twin) in timed
        if row.refused and (stays or row.twin):
            what = f"{row.subject.model} on {row.subject.runtime}, {row.workload.label}"
            why = "keeps its older samples" if stays else "has no second run to tell noise by"
            say(f"{what} {why}: {row.refused}", err=True)
