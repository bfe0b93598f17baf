"""What training writes down as it goes: `training.jsonl`."""

from pathlib import Path

from lstmbench import disk
from lstmbench.records import Record, Score

JOURNAL = "training.jsonl"


class TrainingRow(Record, frozen=True, kw_only=True):
    """A line of `training.jsonl`: the loss of one step's own tokens, before its update."""

    step: int  # steps done
    train_nats: float
    learning_rate: float
    gradient_norm: float  # before clipping
    valid: Score | None = None


def cut_journals(path: Path, step: int) -> None:
    """Drop the lines after `step`: they are about to be written again, the same."""
    kept = [row for row in disk.read_journal(path / JOURNAL, TrainingRow) if row.step <= step]
    disk.write_journal(path / JOURNAL, kept)
