"""Tables on stdout, progress bars on stderr; a bar is silent where stderr is no terminal."""

import contextlib
import itertools
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

from lstmbench.plain import plain

if TYPE_CHECKING:
    from lstmbench.report import TerminalTable

_BETWEEN, _LEAST = 3, 8  # columns of the screen: between those of a table, and the narrowest for words


def say(line: str, *, err: bool = False) -> None:
    """Print a line that may quote anything; nothing in it is obeyed by the terminal."""
    import typer

    typer.echo(plain(line), err=err)


def document(found: object) -> None:
    """Print a record, or several, as one JSON document."""
    import msgspec
    import typer

    typer.echo(msgspec.json.format(msgspec.json.encode(found), indent=2).decode())


def table(title: str, columns: Sequence[str], rows: Sequence[Sequence[str]], *, left: int = 1) -> None:
    """Print a table; the first `left` columns are words, the others numbers, aligned to the right.

    Where it is too wide the widest columns of words give way: a name goes on in the next line behind a `/` or the like.
    """
    from rich import box
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    console = Console()
    drawn = Table(
        title=Text(plain(title)) if title else None, title_justify="left", box=box.SIMPLE_HEAD, pad_edge=False
    )
    for n, column in enumerate(columns):
        drawn.add_column(column, justify="left" if n < left else "right", overflow="fold", no_wrap=n >= left)
    for row in narrowed([columns, *([plain(cell) for cell in row] for row in rows)], left, console.width)[1:]:
        drawn.add_row(*map(Text, row))
    console.print(drawn)


def narrowed(rows: Sequence[Sequence[str]], left: int, width: int) -> list[list[str]]:
    """The rows with line breaks in the first `left` columns, the widest first, so that all fits where it can."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    over = sum(widths) + _BETWEEN * len(widths) - width
    for _ in range(over):
        widest = max(range(left), key=lambda n: widths[n])
        widths[widest] = max(widths[widest] - 1, _LEAST)
    most = widths[:left]
    return [[*map(_broken, row[:left], most), *row[left:]] for row in rows]


def _broken(text: str, most: int) -> str:
    """Text whose words, where they are longer, go on in another line; spaces are left to the table."""
    return " ".join(_in_lines(word, most) if len(word) > most else word for word in text.split(" "))


def _in_lines(word: str, most: int) -> str:
    lines = [""]
    parts = [part if len(part) <= most else re.split(r"(?<=[._:-])", part) for part in re.split("(?<=/)", word)]
    for part in itertools.chain.from_iterable([part] if isinstance(part, str) else part for part in parts):
        if lines[-1] and len(lines[-1]) + len(part) > most:
            lines.append("")
        lines[-1] += part
    return "\n".join(lines)


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
        drawn.add_row(Text(plain(word)), Text(plain(said)))
    Console().print(drawn)


@contextlib.contextmanager
def spinner() -> Iterator[Callable[[str], None]]:
    """Yield `say(what)`, which shows what is being done."""
    from rich.console import Console
    from rich.text import Text

    console = Console(stderr=True)
    with console.status("starting") if console.is_terminal else contextlib.nullcontext() as status:
        yield lambda what: status.update(Text(plain(what))) if status else None


@contextlib.contextmanager
def progress_bar(title: str, total: int) -> Iterator[Callable[[int, str], None]]:
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
    with Progress(*columns, console=console, disable=not console.is_terminal, transient=True) as bar:
        task = bar.add_task(plain(title), total=total, note="")
        yield lambda done, note: bar.update(task, completed=done, note=note)
