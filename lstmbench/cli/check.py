"""`lstmbench check`: every export on every runtime against the float64 reference."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from lstmbench.cli.differences import say_where
from lstmbench.cli.drift import follow
from lstmbench.cli.folders import all_exports
from lstmbench.cli.foreign import FileOptions, check_one_file
from lstmbench.cli.ours import check_own_file
from lstmbench.cli.verdicts import judge
from lstmbench.errors import LstmbenchError
from lstmbench.records import MOST_THREADS

if TYPE_CHECKING:
    from lstmbench.records import Workload

Names = Annotated[list[str] | None, typer.Argument(help="Model folders, or names under --models; all if none.")]
NamesOrFile = Annotated[
    list[str] | None,
    typer.Argument(help="Model folders, or names under --models; all if none. Or one ONNX file, anybody's."),
]
Runtimes = Annotated[
    list[str] | None,
    typer.Option("--runtime", metavar="NAME[==VERSION]", help="May be given several times; all here if none."),
]
Models = Annotated[Path, typer.Option(help="Where model folders lie.")]
Run = Annotated[Path, typer.Option("--out", help="The run's folder; a second call goes on in it.")]
RunOrNone = Annotated[
    Path | None, typer.Option("--out", help="The run's folder; a second call goes on in it. [default: reports/run]")
]
Against = Annotated[
    Path | None,
    typer.Option(help="Of one ONNX file: another, or a model folder, that says what it must compute; itself if none."),
]
Threads = Annotated[int, typer.Option(min=1, max=MOST_THREADS, help="A runtime may use.")]
Drift = Annotated[bool, typer.Option("--drift", help="Instead of the cases: run freely for --steps, tell the error.")]
Steps = Annotated[int | None, typer.Option(min=1, max=1_000_000, help="Of --drift. [default: 10000]")]
Mixed = Annotated[bool, typer.Option("--allow-mixed", help="Take what ran on other providers too, and label it.")]
Json = Annotated[bool, typer.Option("--json", help="One JSON document instead of tables.")]
Batches = Annotated[list[int] | None, typer.Option("--batch", help="Calls of B rows too, may be given several times.")]
Times = Annotated[list[int] | None, typer.Option("--time", help="Calls of T steps too, may be given several times.")]
Bisect = Annotated[bool, typer.Option("--bisect", help="Say in which layer, gate and step each one goes wrong.")]


def check(  # noqa: PLR0913, PLR0917 (the options of the command)
    names: NamesOrFile = None,
    runtime: Runtimes = None,
    threads: Threads = 1,
    out: RunOrNone = None,
    models: Models = Path("models"),
    against: Against = None,
    bisect: Bisect = False,
    allow_mixed: Mixed = False,
    drift: Drift = False,
    steps: Steps = None,
    json: Json = False,
    batch: Batches = None,
    time: Times = None,
) -> None:
    """Compare logits and states with the float64 reference; exit status 1 if anything is out of its bound.

    Below fp32, say too what the precision costs on text that the model has not seen.

    An ONNX file by its name, of this or any other exporter, is compared with a float64 evaluation of its own graph, or
    --against a model; one of 'lstmbench export' below fp32, or with --bisect, then as if it lay in the model's folder.
    """
    if json and (drift or bisect):
        raise LstmbenchError("--json gives what the cases found: leave out --drift and --bisect")
    if any(name.endswith(".onnx") for name in names or ()) or against is not None:
        if drift or steps or batch or time:
            raise LstmbenchError("--drift, --batch and --time are for exports in model folders: name a folder")
        options = FileOptions(runtime, threads, out, models, against, allow_mixed, json, bisect)
        if not check_own_file(names or [], options):
            check_one_file(names or [], options)
        return
    if drift and bisect:
        raise LstmbenchError("--drift runs freely, --bisect looks for what the cases found: give one of them")
    if steps and not drift:
        raise LstmbenchError("--steps are those of a long run: give --drift with them")
    out = out or Path("reports/run")
    from lstmbench.runtimes import available

    exported = all_exports(names, models)
    if drift:
        long_run = {"steps": steps or 10_000, "threads": threads}
        follow(exported, runtime or available(), run=out, allow_mixed=allow_mixed, **long_run)
        return
    done, kept = judge(
        exported,
        runtime or available(),
        run=out,
        threads=threads,
        workloads=_besides(batch, time),
        allow_mixed=allow_mixed,
        json=json,
    )
    same = not bisect or say_where(done, out)
    if not (done.passed and same and kept):
        raise typer.Exit(1)


def _besides(batch: "list[int] | None", time: "list[int] | None") -> "tuple[Workload, ...]":
    """Calls of more rows or steps than the cases have: an engine may go wrong beyond them alone."""
    from lstmbench.bench import grid

    if not batch and not time:
        return ()
    return grid(batches=batch or [1], times=time or [1], kinds=("score", "decode", "generate"))
