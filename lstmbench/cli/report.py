"""`lstmbench report`: tables, charts and the page again, from the raw files alone."""

from pathlib import Path
from typing import Annotated

import typer

from lstmbench.cli.screen import say, tables


def report(
    run: Annotated[Path, typer.Argument(help="A run's folder.")] = Path("reports/run"),
    schema: Annotated[bool, typer.Option("--schema", help="Instead: print the JSON Schema of a run's files.")] = False,
) -> None:
    """Draw the report of a run again, without measuring; of one that holds long runs alone, their chart and table."""
    if schema:
        _print_schema()
        return
    from lstmbench.report import arrivals_of, drifted_alone, evaluations_of, render, render_drift, terminal_tables

    if drifted_alone(run):
        page, table = render_drift(run)
        tables([table])
        say(f"{page}")
        return
    render(run)
    tables(terminal_tables(run))
    if served := arrivals_of(run):
        tables([served])
    tables(evaluations_of(run))
    typer.echo()
    say(f"{run / 'index.html'}")


def _print_schema() -> None:
    import json

    from lstmbench.records.schema import schema

    typer.echo(json.dumps(schema(), indent=1))
