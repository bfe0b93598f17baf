"""`lstmbench check FILE.onnx --against MODEL` of a file of ours that its graph alone cannot be judged by."""

import tempfile
from collections.abc import Sequence
from pathlib import Path

import typer

from lstmbench.cli.differences import say_where
from lstmbench.cli.folders import model_folders
from lstmbench.cli.foreign import FileOptions
from lstmbench.cli.verdicts import judge
from lstmbench.errors import LstmbenchError


def check_own_file(names: Sequence[str], options: FileOptions) -> bool:
    """Judge a file of `lstmbench export` below fp32, or one that draws, as the model's export; whether it is one.

    With --bisect any file of `lstmbench export`, and no other.
    """
    one = len(names) == 1 and names[0].endswith(".onnx") and options.out is None
    if not one or options.against is None or options.against.suffix == ".onnx":
        return _no_search(options)
    from lstmbench.flows.ours import about, as_export
    from lstmbench.runtimes import available

    (model,), path = model_folders([str(options.against)], options.models), Path(names[0])
    told = about(path)
    judged_by_graph = told.get("precision") == "fp32" and told.get("form") != "generate"
    if not told or (judged_by_graph and not options.bisect):
        return _no_search(options)
    with tempfile.TemporaryDirectory(prefix="lstmbench-") as run, as_export(path, model) as exported:
        done, kept = judge(
            [exported],
            options.runtimes or available(),
            run=Path(run),
            threads=options.threads,
            allow_mixed=options.allow_mixed,
            json=options.json,
        )
        same = not options.bisect or say_where(done, Path(run))
    if not (done.passed and same and kept):
        raise typer.Exit(1)
    return True


def _no_search(options: FileOptions) -> bool:
    """False: the file is judged by its graph, in which nothing is searched."""
    if options.bisect:
        raise LstmbenchError(
            "--bisect is for exports in model folders, or one file of 'lstmbench export' --against its model"
        )
    return False
