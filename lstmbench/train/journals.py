"""What training writes down as it goes: `training.jsonl`, and how far gradients reach in `gradients.jsonl`."""

from pathlib import Path

import msgspec

from lstmbench import disk
from lstmbench.records import Record, Score

JOURNAL, GRADIENTS = "training.jsonl", "gradients.jsonl"


class TrainingRow(Record, frozen=True, kw_only=True):
    """A line of `training.jsonl`: the loss of one step's own tokens, before its update."""

    step: int  # steps done
    train_nats: float
    learning_rate: float
    gradient_norm: float  # before clipping
    valid: Score | None = None
    sample: str | msgspec.UnsetType = msgspec.UNSET  # text that the model writes by now


class Reach(Record, frozen=True, kw_only=True):
    """The norm of the gradient of a token's loss with respect to a layer's state, so many steps before it."""

    layer: int
    distance: int  # steps
    h: float
    c: float


class FlowRow(Record, frozen=True, kw_only=True):
    """A line of `gradients.jsonl`, at a validation."""

    step: int  # steps done
    layers: tuple[float, ...]  # the norm of the gradient of each layer's weights, in the step at hand, before clipping
    reaches: tuple[Reach, ...]


def read_journals(path: Path) -> tuple[list[TrainingRow], list[FlowRow]]:
    """All that was written down in a folder so far."""
    return disk.read_journal(path / JOURNAL, TrainingRow), disk.read_journal(path / GRADIENTS, FlowRow)


def cut_journals(path: Path, step: int) -> None:
    """Drop the lines after `step`: they are about to be written again, the same."""
    rows, flows = read_journals(path)
    disk.write_journal(path / JOURNAL, [row for row in rows if row.step <= step])
    disk.write_journal(path / GRADIENTS, [row for row in flows if row.step <= step])
