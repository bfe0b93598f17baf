"""An earlier run as the baseline of a new one: its exports, found by hash where they are kept, are timed again."""

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import msgspec

from lstmbench.errors import LstmbenchError
from lstmbench.export import find
from lstmbench.records import ExportedModel, without_baseline
from lstmbench.report import raw
from lstmbench.report.baseline import partners
from lstmbench.report.comparison import vouched


class Baseline(NamedTuple):
    """What an earlier run timed of outputs that passed."""

    run: Path
    sums: dict[str, str]  # of each export, by its name
    versions: dict[str, str]  # of each runtime


def read(run: Path, *, out: Path) -> Baseline:
    """What `run` holds; LstmbenchError where it is no run that was timed, or the one that is to be written."""
    if run.resolve() == out.resolve():
        raise LstmbenchError(f"{run} is the baseline and would be written too: give the new run another --out")
    subjects = [case.subject for case in vouched(raw.read(run))]
    own = [subject for subject in subjects if without_baseline(subject.model) is None]
    if not own:
        raise LstmbenchError(f"{run} is no baseline: it timed nothing whose output passed")
    sums = {subject.model: subject.model_sha256 for subject in own}
    return Baseline(run, sums, {subject.runtime: subject.runtime_version for subject in own})


def kept(baseline: Baseline, exported: Sequence[ExportedModel], models: Path) -> list[ExportedModel]:
    """The baseline's exports that the new ones are held against, from the folders of their names under `models`.

    LstmbenchError, in one line, where none is of a model that is meant, and where a file is gone or is another.
    """
    names = [one.name for one in exported]
    pairs = partners(baseline.sums, names)
    if not pairs:
        raise LstmbenchError(
            f"nothing to hold against {baseline.run}: it timed {_few([*baseline.sums])}, and this would time "
            f"{_few(names)}"
        )
    return [_find(baseline, name, models) for name in dict.fromkeys(pairs.values())]


def _find(baseline: Baseline, name: str, models: Path) -> ExportedModel:
    folder, _, stem = name.rpartition("/")
    path = models / folder / f"{stem}.onnx"
    if Path(folder).name != folder or not path.is_file():
        raise LstmbenchError(
            f"{path} is not there, which {baseline.run} timed: name with --baseline-models where its models are kept"
        )
    found = next((one for one in find(models / folder) if one.name == name), None)
    if found is None or found.record.sha256 != baseline.sums[name]:
        raise LstmbenchError(
            f"{path} is not the file that {baseline.run} timed: keep a copy of a model's folder before it is exported "
            f"again, and name where with --baseline-models"
        )
    return msgspec.structs.replace(found, baseline=True)


def _few(names: Sequence[str]) -> str:
    return ", ".join(names[:3]) + (", …" if len(names) > 3 else "")
