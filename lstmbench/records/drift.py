"""How far a runtime drifts from the reference over a long run."""

import math
from typing import Literal, TypeAlias

from lstmbench.records.base import Positive, Record
from lstmbench.records.check import Subject

# what the reference computes: the model as the file's rounded weights make it, or as it was trained
Against: TypeAlias = Literal["file", "trained"]


class DriftRow(Record, frozen=True, kw_only=True):
    """A line of `drift.jsonl`: one output at one step of a free run, beside the float64 reference."""

    schema: Literal["lstmbench.drift/1"] = "lstmbench.drift/1"
    subject: Subject
    steps: Positive  # of the whole run
    batch: Positive
    against: Against
    output: Literal["logits", "y", "h", "c"]
    step: Positive  # 1: after the first
    max_error: float | None  # over rows and units; absent where an output is not finite
    median_error: float | None
    # of the reference, e-foldings a step: above 0, two runs part however little apart they begin
    lyapunov: float

    @property
    def chaotic(self) -> bool:
        """Whether one float32 rounding, 2⁻²⁴, can grow to 1 within the run: then the distance says little."""
        return self.lyapunov * self.steps > 24 * math.log(2)
