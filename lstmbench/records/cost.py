"""What a file below fp32 gives up."""

from typing import Literal

from lstmbench.records.base import Count, Record
from lstmbench.records.export import Quality


class Cost(Record, frozen=True, kw_only=True):
    """A line of `costs.jsonl`: what the record beside an exported file says of it."""

    schema: Literal["lstmbench.quality/1"] = "lstmbench.quality/1"
    model: str  # Subject.model
    model_sha256: str
    quality: Quality


class Install(Record, frozen=True, kw_only=True):
    """A line of `installs.jsonl`: what a runtime takes on disk, in packages of Python or of npm."""

    schema: Literal["lstmbench.install/1"] = "lstmbench.install/1"
    runtime: str  # Subject.runtime
    runtime_version: str
    device: str = ""  # Subject.device
    packages: tuple[str, ...]  # the engine's, and all that it requires
    bytes: Count
