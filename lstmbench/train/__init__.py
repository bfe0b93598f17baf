"""Corpus and configuration to a checkpoint."""

from lstmbench.train.evaluate import score
from lstmbench.train.loop import JOURNAL, Progress, TrainingRow, demand_folder, train

__all__ = ["JOURNAL", "Progress", "TrainingRow", "demand_folder", "score", "train"]
