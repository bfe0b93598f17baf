"""`lstmbench conformance`: whether an adapter keeps the contract, for whoever wrote it."""

import itertools
from typing import Annotated, Literal

import typer

from lstmbench.cli.screen import document, say, spinner, table


def conformance(
    name: Annotated[str, typer.Argument(metavar="NAME[==VERSION]", help="Of a runtime, or module:Class.")],
    *,
    form: Annotated[Literal["lstm", "scan", "loop"], typer.Option(help="Of the export that it is given.")] = "scan",
    timeout: Annotated[float, typer.Option(min=1, help="Seconds that a call may take.")] = 120,
    json: Annotated[bool, typer.Option("--json", help="One JSON document instead of a table.")] = False,
) -> None:
    """Ask for each promise of the contract that an adapter makes; exit status 1 if one is broken."""
    from lstmbench.flows.conform import conform

    with spinner() as progress:
        findings = conform(name, form=form, timeout_s=timeout, progress=progress)
    if json:
        document(findings)
    else:
        words = {True: "kept", False: "BROKEN", None: "n/a"}
        rows = [[one.promise, words[one.kept], one.says] for one in findings]
        table(f"{name}: the contract of a runtime", ["promise", "verdict", "what it is"], rows, left=3)
        for one in itertools.filterfalse(lambda one: not one.broken, findings):
            say(f"{one.promise}: {one.broken}", err=True)
    if not all(one.kept for one in findings):
        raise typer.Exit(1)
