"""`lstmbench bench --baseline`: what is held against an earlier run, and what came of it."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NamedTuple, get_args

import typer

from lstmbench.cli.screen import say, tables

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lstmbench.records import Clearance, ExportedModel
    from lstmbench.report.baseline import Change, Limit

Baseline = Annotated[
    Path | None, typer.Option(help="An earlier run's folder: its exports are timed again, in turn with these.")
]
BaselineModels = Annotated[Path | None, typer.Option(help="Where its model folders are kept. [default: --models]")]
Fail = Annotated[
    list[str] | None,
    typer.Option(
        "--fail", help="Exit status 1 if slower by more: p50:5%, decode:p90:10%, numpy:p50:5%; several times."
    ),
]


class Asked(NamedTuple):
    """The options of a comparison."""

    baseline: Path
    models: Path
    fail: "Sequence[str]"


class Compared(NamedTuple):
    """What is timed beside the exports that were named, and on what."""

    run: Path
    exported: "list[ExportedModel]"
    versions: dict[str, str]  # that the baseline's runtimes had
    runtimes: list[str]
    limits: "list[Limit]"


def asked(baseline: Path | None, models: Path, fail: "Sequence[str] | None") -> Asked | None:
    """The options of a comparison, if there is one; LstmbenchError for some that would do nothing."""
    from lstmbench.errors import LstmbenchError

    if baseline is None and fail:
        raise LstmbenchError("--fail is for a comparison: give --baseline with it")
    return None if baseline is None else Asked(baseline, models, fail or ())


def compare(
    asked: Asked, exported: "Sequence[ExportedModel]", runtimes: "Sequence[str] | None", *, out: Path
) -> Compared:
    """Find the files of the baseline; LstmbenchError where one is gone, and where a limit is of nothing here."""
    from lstmbench.cli.limits import limits
    from lstmbench.flows import beside
    from lstmbench.report import extra

    extra.demand()
    earlier, read = beside.read(asked.baseline, out=out), limits(asked.fail)
    meant = list(runtimes or earlier.versions)
    _demand_meant(read, meant)
    kept = beside.kept(earlier, exported, asked.models)
    return Compared(asked.baseline, kept, earlier.versions, meant, read)


def judge(compared: Compared, run: Path, clearances: "Sequence[Clearance]") -> "list[Change]":
    """Every pair of a run, kept there for its report."""
    from lstmbench.report import baseline, kept_changes, raw

    recorded = raw.read(run)
    judged = baseline.judge(recorded.of(clearance.subject for clearance in clearances), compared.limits)
    kept_changes.keep(run, judged, recorded.machine.fingerprint)
    return judged


def conclude(compared: Compared, judged: "Sequence[Change]", clearances: "Sequence[Clearance]") -> bool:
    """Show every pair -> whether one is told to be slower by more than its limit."""
    from lstmbench.report import changes

    _say_moved(compared, clearances)
    tables([changes.table(judged)])
    say(changes.summary(judged))
    over = [change for change in judged if change.over]
    for change in over:
        say(changes.sentence(change))
    unsure = sum(change.limit is not None and change.over is None for change in judged)
    if unsure:
        say(
            f"cannot tell of {unsure} of {len(judged)} whether the limit of --fail is kept: take more --processes or "
            f"--seconds, or a machine with less other work",
            err=True,
        )
    return bool(over)


def _demand_meant(limits: "Sequence[Limit]", runtimes: "Sequence[str]") -> None:
    """LstmbenchError for a limit of a runtime or workload that nothing is timed on: it would never be broken."""
    from lstmbench.errors import LstmbenchError
    from lstmbench.records import WorkloadKind

    for limit in limits:
        if limit.where not in ("", *get_args(WorkloadKind), *runtimes):
            raise LstmbenchError(
                f"--fail names {limit.where!r}, which is none of {', '.join(get_args(WorkloadKind))} and no "
                f"runtime that is timed here: {', '.join(runtimes)}"
            )


def _say_moved(compared: Compared, clearances: "Sequence[Clearance]") -> None:
    """One line on stderr for each runtime that is another now: both sides were timed on the new one."""
    now = {c.subject.runtime: c.subject.runtime_version for c in clearances if c.subject.runtime_version}
    for runtime, version in compared.versions.items():
        if now.get(runtime, version) != version:
            say(
                f"{compared.run} was timed on {runtime} {version}; here both sides ran on {now[runtime]}: what the "
                f"change of version costs is not in this comparison",
                err=True,
            )
