"""Corpus and configuration to a checkpoint."""

from lstmbench.train.admit import demand_folder
from lstmbench.train.loop import JOURNAL, Progress, TrainingRow, train

__all__ = ["JOURNAL", "Progress", "TrainingRow", "demand_folder", "train"]
