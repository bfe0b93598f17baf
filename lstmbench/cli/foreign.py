"""`lstmbench check FILE.onnx`: a file that may be anybody's, on every runtime that runs graphs."""

from collections.abc import Iterator, Sequence
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import typer

from lstmbench.cli.folders import model_folders
from lstmbench.cli.screen import document, facts, first, say, spinner, table

if TYPE_CHECKING:
    from lstmbench.check.foreign import ForeignReport, ForeignRow

_WHY = "float32 itself parts there, by the order of its sums: a chaotic recurrence, or a choice between equals"
UNFINISHED = 3  # the exit status of what ended with rows that say nothing


class FileOptions(NamedTuple):
    """What `check` was told besides the file."""

    runtimes: Sequence[str] | None
    threads: int
    out: Path | None
    models: Path
    against: Path | None
    allow_mixed: bool
    json: bool
    bisect: bool = False


def check_one_file(names: Sequence[str], options: FileOptions) -> None:
    """Print a table of the worst rows, a line on stderr for each runtime that failed; exit status 1 if one did."""
    from lstmbench.check.foreign import check_file
    from lstmbench.errors import LstmbenchError
    from lstmbench.inspect import carried
    from lstmbench.runtimes import GRAPHS, available

    if len(names) != 1 or not names[0].endswith(".onnx"):
        raise LstmbenchError("--against is for one ONNX file, and one is checked at a time: lstmbench check FILE.onnx")
    if options.out is not None:
        raise LstmbenchError("--out is for model folders: the check of one file leaves nothing on disk")
    with spinner() as progress:
        done = check_file(
            Path(names[0]),
            options.runtimes or available(GRAPHS),
            against=_against(options),
            threads=options.threads,
            allow_mixed=options.allow_mixed,
            recognise=carried,
            progress=progress,
        )
    if options.json:
        document(done)
    else:
        _show(names[0], options, done)
    if done.unjudged:
        say(f"{names[0]}: {_listed(done.unjudged)} not judged at any size: {_WHY}", err=True)
    for row in done.failures():
        say(f"{row.file} on {row.runtime}: at {row.sizes}{row.asked and ', '}{row.asked}: {row.reason}", err=True)
    if not done.passed or done.unjudged:
        raise typer.Exit(UNFINISHED if done.passed else 1)


def _show(name: str, options: FileOptions, done: "ForeignReport") -> None:
    told = "a float64 evaluation of its own graph" if options.against is None else f"{done.against} in float64"
    say(name)
    say(f"against {told}, the worst of all sizes")
    for _, rows in groupby(done.worst(), key=lambda row: row.engine):
        _table(done, tuple(rows))
    facts(_not_asked(done))
    if any(map(done.part, done.worst())):
        facts([("not judged", _WHY)])


def _against(options: FileOptions) -> Path | None:
    """A file by its path, a model by its folder or its name."""
    if options.against is None or options.against.suffix == ".onnx":
        return options.against
    (folder,) = model_folders([str(options.against)], options.models)
    return folder


def _not_asked(done: "ForeignReport") -> "Iterator[tuple[str, str]]":
    """What of the state was not asked, a line for each reason."""
    for why in dict.fromkeys(done.not_asked.values()):
        yield "not asked", f"{', '.join(name for name, one in done.not_asked.items() if one == why)}: {why}"


def _listed(names: "Sequence[str]") -> str:
    from lstmbench.onnxfile.names import shown

    return f"{', '.join(map(shown, names))} {'is' if len(names) == 1 else 'are'}"


def _table(done: "ForeignReport", rows: "Sequence[ForeignRow]") -> None:
    """All outputs on one runtime; where it ran stands beside each."""
    from lstmbench.report import wording

    engine = rows[0].engine
    mixed = wording.also(", ".join(engine.strays)) if engine.strays else ""
    columns = ["output", "ran on", "in", "max error", "of bound", "verdict"]
    shown, more = first([_row(row, done.part(row)) for row in rows])
    table(f"{engine.runtime} {engine.version}{mixed}", columns, shown, left=3)
    if more:
        say(f" {more}")


def _row(row: "ForeignRow", part: str) -> list[str]:
    from lstmbench.onnxfile.names import shown
    from lstmbench.report import subjects, wording

    recurrent = [part for part in row.engine.placement if part.recurrent]
    where = wording.providers(", ".join(dict.fromkeys(part.provider for part in recurrent)))
    verdict = "FAILED" if row.reason else "ok" if row.bound is not None else "not judged"
    if verdict == "ok" and part:
        verdict = f"ok, {part}"
    return [
        row.asked or shown(row.output),
        where or (subjects.NO_PROVIDERS if row.engine.version else wording.NOT_AVAILABLE),
        subjects.ran_in(recurrent),
        wording.error(row.max_error),
        "n/a" if row.bound is None or row.max_error is None else wording.share(row.share),
        verdict,
    ]
