"""A price list: a model in every form and precision, on every runtime and number of threads, checked and timed."""

import contextlib
import math
from collections.abc import Callable, Iterator, Sequence
from itertools import product
from pathlib import Path
from typing import NamedTuple

import psutil

from lstmbench.arrays import Tokens
from lstmbench.bench import Effort
from lstmbench.errors import ExportError, LstmbenchError
from lstmbench.export import export, find, forms_of
from lstmbench.flows.assess import assess
from lstmbench.flows.installs import keep_installs
from lstmbench.model import folder as model_folder
from lstmbench.records import Clearance, ExportedModel, Form, Measurement, Precision, Workload

_MODELS = "models"  # in the run's folder: what is made for the list is no part of the models' own folders
_PROCESS_BYTES = 150 * 2**20  # of one that holds an engine and a small model; all of a model's wait at once


class Wanted(NamedTuple):
    """What the list is over."""

    forms: Sequence[Form]  # all that the cell can take, and that leave T open or take one step, where empty
    precisions: Sequence[Precision]
    runtimes: Sequence[str]
    threads: Sequence[int]
    workloads: Sequence[Workload]


class Listed(NamedTuple):
    """What came of it; the numbers are in the run's folder."""

    clearances: list[Clearance]
    measured: list[Measurement]
    unmade: list[tuple[str, str]]  # form-precision of a model, and why there is no such file


def list_prices(  # noqa: PLR0913 (what, how, where)
    paths: Sequence[Path],
    wanted: Wanted,
    *,
    run: Path,
    effort: Effort,
    held_out: Callable[[Path], Tokens | None],
    allow_mixed: bool = False,
    most_s: float = math.inf,
    progress: Callable[[str], None],
) -> Listed:
    """Export, check and time everything, a model at a time; what `run` holds already is not done again.

    What takes longer than `most_s` to be checked is refused, a file on a runtime at a time.

    LstmbenchError where a model can take none of the forms, or the processes of all its cases would not fit in memory.
    """
    listed = Listed([], [], [])
    for path in paths:
        made = list(_made(path, wanted, run / _MODELS, listed.unmade, held_out, progress))
        fitting = [one for one in made if any(work.fits(one) for work in wanted.workloads)]
        if not fitting:
            raise LstmbenchError(f"no form of {path} that was asked for can be timed so: {_why(listed.unmade)}")
        _demand_memory(len(fitting) * len(wanted.runtimes) * len(wanted.threads))
        checked, rows = assess(
            fitting,
            wanted.runtimes,
            wanted.workloads,
            run=run,
            threads=wanted.threads,
            effort=effort,
            allow_mixed=allow_mixed,
            most_s=most_s,
            progress=progress,
        )
        keep_installs(checked.clearances, run)
        listed.clearances.extend(checked.clearances)
        listed.measured.extend(rows)
    return listed


def _made(
    path: Path,
    wanted: Wanted,
    models: Path,
    unmade: list[tuple[str, str]],
    held_out: Callable[[Path], Tokens | None],
    progress: Callable[[str], None],
) -> Iterator[ExportedModel]:
    """Every file that can be, in a copy of the model's folder."""
    copy = models / path.resolve().name
    model_folder.copy(path, copy)
    kept = {(one.record.form, one.record.precision): one for one in _found(copy)}
    unseen = held_out(path) if {*wanted.precisions} - {"fp32"} else None
    for form, precision in product(wanted.forms or _forms(path), wanted.precisions):
        if (form, precision) in kept:
            yield kept[form, precision]
            continue
        progress(f"exporting {copy.name}/{form}-{precision}")
        try:
            yield export(copy, form=form, precision=precision, held_out=unseen)
        except ExportError as error:
            unmade.append((f"{copy.name}/{form}-{precision}", str(error)))


def _found(copy: Path) -> list[ExportedModel]:
    """What an earlier call exported of these very weights."""
    own = model_folder.read(copy).note.sha256
    with contextlib.suppress(LstmbenchError):  # a kill fell between a file and its record: made again
        return [one for one in find(copy) if one.record.weights_sha256 == own and not one.record.lengths]
    return []


def _forms(path: Path) -> list[Form]:
    model = model_folder.read(path).folder.model
    known = forms_of(model.peephole, attention=model.attention)
    return [form for form in known if form not in ("unrolledN", "generate")]


def _why(unmade: Sequence[tuple[str, str]]) -> str:
    return unmade[0][1] if unmade else "give --time 1 for form 'step', or another form"


def _demand_memory(cases: int) -> None:
    free = psutil.virtual_memory().available
    if cases * _PROCESS_BYTES > free:
        raise LstmbenchError(
            f"{cases} processes that wait for their turn take some {cases * _PROCESS_BYTES / 2**30:.0f} GiB, "
            f"{free / 2**30:.0f} are free: name fewer with --form, --precision, --runtime or --threads"
        )
