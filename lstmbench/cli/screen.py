"""Tables on stdout, progress bars on stderr; a bar is silent where stderr is no terminal."""

import contextlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

from lstmbench.plain import cell, sentence

if TYPE_CHECKING:
    from lstmbench.report import TerminalTable

_MOST_ROWS = 200


def say(line: str, *, err: bool = False) -> None:
    """Print a line that may quote anything; nothing in it is obeyed by the terminal, and it is never endless."""
    import typer

    typer.echo(sentence(line), err=err)


def document(found: object) -> None:
    """Print a record, or several, as one JSON document."""
    import msgspec
    import typer

    typer.echo(msgspec.json.format(msgspec.json.encode(found), indent=2).decode())


def table(title: str, columns: Sequence[str], rows: Sequence[Sequence[str]], *, left: int = 1) -> None:
    """Print a table; the first `left` columns are words, the others numbers, aligned to the right."""
    from rich.console import Console
    from rich.text import Text

    from lstmbench.cli.layout import broken, lay_out

    console = Console()
    cells = [[cell(one) for one in row] for row in rows]
    lines = [Text(line, style="italic") for line in broken(cell(title), console.width)] if title else []
    head, *body = lay_out(list(columns), cells, left=left, width=console.width)
    for line in (*lines, Text(""), Text(head, style="bold"), *map(Text, body), Text("")):
        console.print(line, soft_wrap=True, highlight=False)


def first(rows: Sequence[Sequence[str]]) -> tuple[Sequence[Sequence[str]], str]:
    """The rows of a table that may be anybody's, and how many are left out beyond what a screen is for, in words."""
    left = len(rows) - _MOST_ROWS
    return rows[:_MOST_ROWS], f"and {left:,} more; --json gives all" if left > 0 else ""


def tables(drawn: "Iterable[TerminalTable]") -> None:
    """Print the tables of a report."""
    for title, columns, rows in drawn:
        table(title, columns, rows)


def facts(rows: Iterable[tuple[str, str]]) -> None:
    """Print a word and what there is to say of it, a line each; what is long goes on under itself."""
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    drawn = Table.grid(padding=(0, 2))
    drawn.add_column(no_wrap=True)
    drawn.add_column(overflow="fold")
    for word, said in rows:
        drawn.add_row(Text(cell(word)), Text(sentence(said)))
    Console().print(drawn)


@contextlib.contextmanager
def spinner() -> Iterator[Callable[[str], None]]:
    """Yield `say(what)`, which shows what is being done."""
    from rich.console import Console
    from rich.text import Text

    console = Console(stderr=True)
    with console.status("starting") if console.is_terminal else contextlib.nullcontext() as status:
        yield lambda what: status.update(Text(cell(what))) if status else None


@contextlib.contextmanager
def progress_bar(title: str, total: int, *, shown: bool = True) -> Iterator[Callable[[int, str], None]]:
    """Yield `advance(done, note)`, which moves the bar."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    console = Console(stderr=True)
    columns = (
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        TextColumn("{task.fields[note]}", markup=False),
    )
    with Progress(*columns, console=console, disable=not (shown and console.is_terminal), transient=True) as bar:
        task = bar.add_task(cell(title), total=total, note="")
        yield lambda done, note: bar.update(task, completed=done, note=note)
