"""`lstmbench selftest`: whether the engine's numbers hold on this machine."""

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from lstmbench.cli.screen import say, spinner, tables

if TYPE_CHECKING:
    from lstmbench.flows.self_test import Finding


def selftest(
    out: Annotated[Path | None, typer.Option(help="Where to keep the raw samples; nowhere if not given.")] = None,
    study: Annotated[
        int | None,
        typer.Option(min=1, max=10_000, help="Instead: compare so often, quiet and loaded; the same command goes on."),
    ] = None,
) -> None:
    """Time and weigh workloads of known cost, a planted slowdown, stall and block of memory; exit status 1 if wrong.

    --study counts how often `bench --baseline` and other tools' rules call equal things different, and miss a slowdown.
    """
    if study:
        _study(out or Path("reports/detection"), study)
        return
    from lstmbench.flows.self_test import self_test
    from lstmbench.report import TerminalTable, extra

    extra.demand()
    with tempfile.TemporaryDirectory() as aside, spinner() as progress:
        findings = self_test(out or Path(aside) / "run", progress=progress)
    rows: list[tuple[str, ...]] = [(one.what, one.planted, one.found, _verdict(one)) for one in findings]
    title = "What the engine says of costs that are known"
    tables([TerminalTable(title, ("cost", "planted", "found", "verdict"), rows)])
    if not all(one.passed for one in findings):
        raise typer.Exit(1)


def _study(out: Path, comparisons: int) -> None:
    from lstmbench.flows import detection
    from lstmbench.report import detection_tables, extra

    extra.demand()
    with spinner() as progress:
        rates = detection.study(out, comparisons, progress=progress)
    tables(detection_tables(rates))
    say(f"{out / 'detection.md'}")
    ours = [one for one in rates if one.rule == detection.OURS]
    broken = [one for one in ours if not one.kept]
    say(f"FAILED: {len(broken)} of {len(ours)} promises" if broken else "every promise is kept")
    if broken:
        raise typer.Exit(1)


def _verdict(finding: "Finding") -> str:
    return "ok" if finding.passed else "FAILED"
