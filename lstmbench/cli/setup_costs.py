"""`lstmbench runtimes --cost`: what each runtime takes before it is of any use."""

from pathlib import Path

from lstmbench.cli.screen import say, spinner, table


def show(out: Path | None, *, json: bool) -> None:
    """Measure, and print a table, or a JSON line a runtime; write both where there is a folder for them."""
    import msgspec
    import typer

    from lstmbench.flows.costs import PROCESSES, costs
    from lstmbench.report import cost_sheet, refusals, write_costs

    with spinner() as progress:
        found = costs(progress)
    written = write_costs(out, found) if out else None
    if json:
        for one in found:
            typer.echo(msgspec.json.encode(one).decode())
        return
    sheet = cost_sheet(found)
    title = f"{sheet.title} of one step (H = 128), medians of {PROCESSES} processes"
    table(title, (*sheet.keys, *sheet.values), [(*row.keys, *row.values) for row in sheet.rows], left=3)
    for why in refusals(found):
        say(why, err=True)
    if written:
        say(f"{written}")
