"""`lstmbench runtimes`: what there is, what is usable, and environments for wheels that exclude one another."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from lstmbench.cli.screen import say, spinner, table
from lstmbench.errors import LstmbenchError

if TYPE_CHECKING:
    from lstmbench.records import RuntimeState

_WHERE = {"here": "here", "environment": "apart", "nowhere": "n/a"}  # apart: in an environment of its own
Name = Annotated[str, typer.Argument(metavar="NAME[==VERSION]", help="As 'lstmbench runtimes' lists it.")]


def runtimes(
    context: typer.Context,
    *,
    cost: Annotated[
        bool, typer.Option("--cost", help="Instead: bytes on disk and to download, and time to a first answer.")
    ] = False,
    json: Annotated[bool, typer.Option("--json", help="JSON instead of a table; of --cost a line a runtime.")] = False,
    out: Annotated[Path | None, typer.Option(help="Of --cost: a folder for costs.jsonl and costs.md.")] = None,
) -> None:
    """List every runtime that is known: where it is, whether it starts, and if not what mends it."""
    if context.invoked_subcommand:
        return
    if out and not cost:
        raise LstmbenchError("--out is a folder for what --cost measures: give both")
    if cost:
        from lstmbench.cli.setup_costs import show

        show(out, json=json)
        return
    from lstmbench.flows.runtimes import survey

    with spinner() as progress:
        found = survey(progress)
    if json:
        print_json(found)
        return
    columns = ["runtime", "version", "where", "usable", "start s", "MB", "needs"]
    table("", columns, [_row(state) for state in found], left=4)
    for state in found:
        for line in filter(None, (state.refused, state.behind)):
            version = f"=={state.version}" if state.where == "environment" else ""
            say(f"{state.runtime}{version}: {line}", err=True)


def install(name: Name) -> None:
    """Build an environment of its own for a runtime, in the user's cache; the newest version if none is named."""
    from lstmbench import environments
    from lstmbench.flows.runtimes import install as build
    from lstmbench.units import mebibytes

    with spinner() as progress:
        made = build(environments.wanted(name), progress)
    packages = ", ".join(f"{package} {version}" for package, version in made.packages.items())
    say(f"{made.wheel} {made.version}: Python {made.python}, {mebibytes(made.size_bytes)}: {packages}")


def remove(name: Name) -> None:
    """Take away the environment of a runtime; those of all its versions if none is named."""
    from lstmbench import environments

    for gone in environments.remove(environments.wanted(name)):
        say(f"removed {gone.wheel} {gone.version}")


def print_json(found: object) -> None:
    """Print records as one indented document."""
    import msgspec

    typer.echo(msgspec.json.format(msgspec.json.encode(found), indent=2).decode())


def _row(state: "RuntimeState") -> list[str]:
    from lstmbench.records import labelled

    version = labelled(state.version or "n/a", state.device)
    start = "n/a" if state.start_s is None else f"{state.start_s:.2f}"
    size = "n/a" if state.size_bytes is None else f"{state.size_bytes / 1e6:,.0f}"
    usable = "no" if state.refused else "probe" if state.probe_only else "yes"
    return [state.runtime, version, _WHERE[state.where], usable, start, size, state.needs]
