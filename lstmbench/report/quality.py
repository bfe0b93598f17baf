"""What a study of several cells and seeds can say: how far under the floor, and what peepholes lose against none."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from lstmbench.records import Peephole, Score, Study, StudyRow

CONFIDENCE = 0.95


class Quality(NamedTuple):
    """One cell over all seeds; shares are of nats a token, so they hold for bits a character as well."""

    peephole: Peephole
    rows: tuple[StudyRow, ...]
    nats: float  # mean over the seeds
    under_floor: float  # share by which it is below the best n-gram
    loss: float | None  # share that it loses against `none`, negative where it gains; absent for `none` itself
    loss_bound: float | None  # one-sided upper bound at 95 %; absent with a single seed


def qualities(study: Study) -> list[Quality]:
    """Every cell of a study, in its order."""
    cells: dict[Peephole, list[StudyRow]] = {}
    for row in study.rows:
        cells.setdefault(row.folder.model.peephole, []).append(row)
    none = [row.test.nats for row in cells.get("none", [])]
    return [_quality(cell, rows, none, best_floor(study)[1].nats) for cell, rows in cells.items()]


def best_floor(study: Study) -> tuple[int, Score]:
    """The order of n-gram that predicts best, and its score."""
    return min(enumerate(study.floor, 1), key=lambda order: order[1].nats)


def upper_bound(nats: Sequence[float], none: Sequence[float]) -> float | None:
    """The share that `nats` exceeds `none` by at most, in the mean, at 95 %: Welch's t on independent seeds.

    None where nothing tells how far seeds spread: a single one of either, or all the same.
    """
    if min(len(nats), len(none)) < 2 or len({*nats}) == len({*none}) == 1:
        return None
    from scipy import stats

    test = stats.ttest_ind(nats, none, equal_var=False, alternative="less")
    return float(test.confidence_interval(CONFIDENCE).high / np.mean(none))


def _quality(cell: Peephole, rows: Sequence[StudyRow], none: Sequence[float], floor: float) -> Quality:
    nats = [row.test.nats for row in rows]
    mean = float(np.mean(nats))
    compared = bool(none) and cell != "none"
    return Quality(
        peephole=cell,
        rows=tuple(rows),
        nats=mean,
        under_floor=1 - mean / floor,
        loss=mean / float(np.mean(none)) - 1 if compared else None,
        loss_bound=upper_bound(nats, none) if compared else None,
    )
