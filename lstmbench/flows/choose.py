"""The automatic choice of an export: every candidate written, checked and timed here, the fastest kept.

Two candidates are called different only when they are: rounds are interleaved, and a candidate counts as slower than
the fastest only if it was slower in every round. Of those that are not told apart the least rounded one is taken.
"""

import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path
from statistics import median
from typing import NamedTuple, get_args

from lstmbench.arrays import Tokens
from lstmbench.errors import LstmbenchError
from lstmbench.export import export
from lstmbench.flows.candidates import Candidate, Wish, exported, timed
from lstmbench.model import folder as model_folder
from lstmbench.records import ExportedModel, Precision, Timing
from lstmbench.runtimes import available, load


class Choice(NamedTuple):
    """What was compared, the fastest first, and what was kept."""

    candidates: list[Candidate]
    tied: list[Candidate]  # with the fastest, itself among them
    kept: ExportedModel


def choose(path: Path, wish: Wish, *, held_out: Tokens | None, progress: Callable[[str], None]) -> Choice:
    """Try every form and precision that is open; LstmbenchError if none of them may be kept."""
    if wish.runtime not in available():
        load(wish.runtime)  # says what is missing, before anything is written
    with tempfile.TemporaryDirectory(prefix=".export-", dir=path) as aside:
        copy = Path(aside) / path.resolve().name
        copy.mkdir()
        for name in (model_folder.CONFIG, model_folder.WEIGHTS, model_folder.VOCABULARY):
            if (path / name).exists():
                shutil.copy(path / name, copy)
        candidates = timed(copy, wish, exported(copy, wish, held_out, progress), progress)
    running = sorted((c for c in candidates if c.timing), key=lambda c: c.p50_s or 0)
    if not running:
        raise LstmbenchError(f"no candidate may be kept; the first: {candidates[0].refused}")
    tied = [c for c in running if not _slower(c, running[0])]
    best = min(tied, key=lambda c: get_args(Precision).index(c.precision))
    kept = export(
        path,
        head=wish.head,
        form=best.form,
        precision=best.precision,
        lengths=wish.lengths,
        held_out=held_out,
        storage=wish.storage,
    )
    return Choice(running + [c for c in candidates if not c.timing], tied, kept)


def _slower(candidate: Candidate, fastest: Candidate) -> bool:
    """In every round."""
    pairs = zip(_medians(candidate.timing), _medians(fastest.timing), strict=False)
    return all(mine > its for mine, its in pairs)


def _medians(timing: Timing | None) -> list[float]:
    medians, start = list[float](), 0
    for count in timing.rounds if timing else ():
        medians += [median(timing.sample_s[start : start + count])] if timing else []
        start += count
    return medians
