"""Corpus and configuration to a checkpoint."""

from lstmbench.train.loop import Progress, TrainingRow, train

__all__ = ["Progress", "TrainingRow", "train"]
