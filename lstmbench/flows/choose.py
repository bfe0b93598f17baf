"""The automatic choice of an export: every candidate written, checked and timed here, the fastest kept.

Two candidates are called different only when they are: each runs in several processes, and a candidate counts as slower
than the fastest only if its median was higher in every one of them. Of those that are not told apart the least rounded
one is taken.
"""

from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple, get_args

from lstmbench import environments
from lstmbench.arrays import Tokens
from lstmbench.errors import LstmbenchError
from lstmbench.export.opset import demand_opset
from lstmbench.export.place import draft_folder, put
from lstmbench.flows.candidates import Candidate, Wish, exported, timed
from lstmbench.model import folder as model_folder
from lstmbench.records import ExportedModel, Precision, steps_of
from lstmbench.runtimes import FROM_CHECKPOINT


class Choice(NamedTuple):
    """What was compared, the fastest first, and what was kept."""

    candidates: list[Candidate]
    tied: list[Candidate]  # with the fastest, itself among them
    kept: ExportedModel


def choose(path: Path, wish: Wish, *, held_out: Tokens | None, progress: Callable[[str], None]) -> Choice:
    """Try every form and precision that is open; LstmbenchError if none of them may be kept."""
    demand_opset(wish.storage.opset)
    environments.demand(wish.runtime)  # before anything is written
    _demand_sense(path, wish)
    with draft_folder(path) as aside:
        copy = aside / path.resolve().name
        model_folder.copy(path, copy)
        written = exported(path, copy, wish, held_out, progress)
        candidates = timed(copy, wish, written, progress)
        running = sorted((c for c in candidates if c.case), key=lambda c: c.p50_s or 0)
        if not running:
            raise LstmbenchError(f"no candidate may be kept; the first: {candidates[0].refused}")
        tied = [c for c in running if not _slower(c, running[0])]
        best = min(tied, key=lambda c: get_args(Precision).index(c.precision))
        kept = _put(path, copy, next(made for c, made in written if made is not None and c[:2] == best[:2]))
    return Choice(running + [c for c in candidates if not c.case], tied, kept)


def _put(path: Path, copy: Path, made: ExportedModel) -> ExportedModel:
    put(copy, path, made.record)
    return ExportedModel(folder=str(path), record=made.record)


def _slower(candidate: Candidate, fastest: Candidate) -> bool:
    """In every process; a choice among several calls a pair different by chance more often than a pair alone."""
    assert candidate.case is not None, "it ran"
    assert fastest.case is not None, "it ran"
    return all(one > other for one, other in zip(candidate.case.medians_s, fastest.case.medians_s, strict=True))


def _demand_sense(path: Path, wish: Wish) -> None:
    """Refuse, before anything is written, what no candidate could be asked."""
    if wish.runtime in FROM_CHECKPOINT:
        raise LstmbenchError(f"runtime {wish.runtime!r} computes from the checkpoint, whatever the form: name another")
    model = model_folder.read(path).folder.model
    if wish.workload.kind == "decode" and (wish.head or model.head) == "layer":
        raise LstmbenchError("bare layers have no tokens to decode: choose by --workload score")
    if wish.workload.kind == "decode" and model.uncut:
        raise LstmbenchError(
            f"a model of this kind is not decoded a step a call: {model.uncut}; choose by --workload score"
        )
    steps = steps_of(wish.form) if wish.form else None
    if steps and steps not in wish.workload.chunks:
        raise LstmbenchError(f"form {wish.form!r} takes T = {steps} a call alone: give --time {steps}")
