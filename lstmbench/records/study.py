"""Models of equal size and budget, side by side."""

from typing import Literal

from lstmbench.records.base import Positive, Record
from lstmbench.records.bench import Machine
from lstmbench.records.model import ModelFolder, Score


class StudyRow(Record, frozen=True, kw_only=True):
    """One model that a study trained."""

    name: str  # of its folder
    folder: ModelFolder
    parameters: Positive
    weights_sha256: str
    test: Score


class Study(Record, frozen=True, kw_only=True):
    """`study.json`: cells of equal size and budget on one text, several seeds each, and a floor on the same split."""

    schema: Literal["lstmbench.study/1"] = "lstmbench.study/1"
    floor: tuple[Score, ...]  # Witten-Bell n-grams, order 1, 2, …
    rows: tuple[StudyRow, ...]
    machine: Machine
