"""`lstmbench probe`: what of the LSTM operator the runtimes here can do, a feature at a time."""

from pathlib import Path
from typing import Annotated

import typer

from lstmbench.cli.check import Run, Runtimes
from lstmbench.cli.screen import document, say, spinner, table, tables
from lstmbench.errors import LstmbenchError


def probe(
    *,
    runtime: Runtimes = None,
    out: Run = Path("reports/run"),
    json: Annotated[bool, typer.Option("--json", help="One JSON document instead of tables.")] = False,
    write_vectors: Annotated[
        Path | None, typer.Option(help="Instead: write the vectors as ONNX backend test data into this new folder.")
    ] = None,
    onnx_cases: Annotated[
        bool, typer.Option("--onnx-cases", help="Instead: tell which mistakes ONNX's own LSTM cases miss.")
    ] = False,
) -> None:
    """Run every feature of the LSTM operator, each in a process of its own: right, wrong, refused or crashed."""
    if sum((write_vectors is not None, onnx_cases, bool(runtime))) > 1:
        raise LstmbenchError("--runtime, --write-vectors and --onnx-cases ask for different things: give one of them")
    if write_vectors is not None:
        _write(write_vectors)
    elif onnx_cases:
        _survey(out, json=json)
    else:
        _probe(runtime, out, json=json)


def _probe(runtime: list[str] | None, out: Path, *, json: bool) -> None:
    from lstmbench.probe import probe as run
    from lstmbench.report import PROBE, extra, probe_reasons, probe_tables, render, render_probes

    with spinner() as progress:
        rows = run(runtime, run=out, progress=progress)
        render_probes(out)
        if (out / "index.html").is_file() and extra.installed():
            render(out)
    if json:
        document(rows)
        return
    asked = [row.runtime for row in rows]
    tables(probe_tables(out, asked))
    for title, columns, cells in probe_reasons(out, asked):
        table(title, columns, cells, left=len(columns))
    typer.echo()
    say(f"{out / PROBE}")


def _survey(out: Path, *, json: bool) -> None:
    from lstmbench import disk
    from lstmbench.probe import survey
    from lstmbench.report import SURVEY, render_survey, survey_tables

    disk.make_folder(out)
    with spinner() as progress:
        progress("planting mistakes")
        found = survey()
    disk.write_record(out / SURVEY, found)
    drawn = render_survey(out)
    if json:
        document(found)
        return
    tables(survey_tables(found))
    typer.echo()
    say(f"{drawn}")


def _write(folder: Path) -> None:
    from lstmbench.probe import write_vectors

    names = write_vectors(folder)
    say(f"{folder}: {len(names)} cases, {names[0]} to {names[-1]}")
