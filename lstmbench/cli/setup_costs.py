"""`lstmbench runtimes --cost`: what each runtime takes before it is of any use."""

from collections.abc import Iterable
from statistics import median
from typing import TYPE_CHECKING

from lstmbench.cli.runtimes import WHERE
from lstmbench.cli.screen import say, spinner, table

if TYPE_CHECKING:
    from lstmbench.records import RuntimeCost

_COLUMNS = ("runtime", "version", "where", "disk MB", "download MB", "load s", "call ms", "cold start s", "from", "to")


def show(*, json: bool) -> None:
    """Measure, and print a table, or a JSON line a runtime."""
    import msgspec
    import typer

    from lstmbench.flows.costs import PROCESSES, costs

    with spinner() as progress:
        found = costs(progress)
    if json:
        for one in found:
            typer.echo(msgspec.json.encode(one).decode())
        return
    title = (
        f"Install, and cold start: import, load and first call of one step (H = 128), medians of {PROCESSES} processes"
    )
    table(title, _COLUMNS, [_row(one) for one in found], left=3)
    for one in found:
        if one.refused:
            say(f"{one.runtime} {one.version}: {one.refused}", err=True)


def _row(one: "RuntimeCost") -> list[str]:
    from lstmbench.records import labelled

    load_s = [start.load_s for start in one.starts]
    call_s = [start.first_call_s for start in one.starts]
    cold_s = [load + call for load, call in zip(load_s, call_s, strict=True)]
    sizes = map(_megabytes, (one.install_bytes, one.download_bytes))
    ends = (f"{end(cold_s):.2f}" if cold_s else "n/a" for end in (min, max))
    times = (_median(load_s, "{:.2f}"), _median([s * 1e3 for s in call_s], "{:.1f}"), _median(cold_s, "{:.2f}"))
    return [one.runtime, labelled(one.version, one.device), WHERE[one.where], *sizes, *times, *ends]


def _megabytes(size_bytes: int | None) -> str:
    return "n/a" if size_bytes is None else f"{size_bytes / 1e6:,.0f}"


def _median(values: Iterable[float], as_text: str) -> str:
    taken = list(values)
    return as_text.format(median(taken)) if taken else "n/a"
