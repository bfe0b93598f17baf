"""What a file below fp32 gives up."""

from typing import Literal

from lstmbench.records.base import Record
from lstmbench.records.export import Quality


class Cost(Record, frozen=True, kw_only=True):
    """A line of `costs.jsonl`: what the record beside an exported file says of it."""

    schema: Literal["lstmbench.quality/1"] = "lstmbench.quality/1"
    model: str  # Subject.model
    model_sha256: str
    quality: Quality
