"""Corpus and configuration to a checkpoint."""

from lstmbench.train.admit import demand_folder
from lstmbench.train.batches import steps_a_pass
from lstmbench.train.board import demand_board
from lstmbench.train.journals import JOURNAL, TrainingRow
from lstmbench.train.loop import Progress, train
from lstmbench.train.processes import writes

__all__ = [
    "JOURNAL",
    "Progress",
    "TrainingRow",
    "demand_board",
    "demand_folder",
    "steps_a_pass",
    "train",
    "writes",
]
