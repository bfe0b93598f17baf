"""`lstmbench selftest`: whether the engine's numbers hold on this machine."""

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from lstmbench.cli.screen import say, spinner, tables

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lstmbench.flows.detection import Rate
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
    from lstmbench.report import TerminalTable, extra

    extra.demand()
    with spinner() as progress:
        rates = detection.study(out, comparisons, progress=progress)
    columns = ("rule", "nothing planted", "at most (95 %)", *(f"+{n} % found" for n in detection.PLANTED[1:]))
    for busy, what in ((False, "As the machine is"), (True, "With other processes")):
        rows = [
            _rates([one for one in rates if (one.loaded, one.rule) == (busy, rule)]) for rule in detection.ALL_RULES
        ]
        tables([TerminalTable(f"{what}: called different, of {comparisons:,} comparisons each", columns, rows)])
    broken = [one for one in rates if one.rule == detection.OURS and not one.kept]
    say("every promise is kept" if not broken else f"FAILED: {len(broken)} of {2 * len(detection.PLANTED)} promises")
    if broken:
        raise typer.Exit(1)


def _rates(of_a_rule: "Sequence[Rate]") -> tuple[str, ...]:
    none, *planted = of_a_rule
    return (none.rule, f"{none.called:,}", f"{100 * none.at_most:.2g} %", *(f"{one.called:,}" for one in planted))


def _verdict(finding: "Finding") -> str:
    return "ok" if finding.passed else "FAILED"
