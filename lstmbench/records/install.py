"""What an engine takes on disk."""

from typing import Literal

from lstmbench.records.base import Positive, Record


class Install(Record, frozen=True, kw_only=True):
    """A line of `installs.jsonl`: the packages of a runtime that was timed, and all that they require."""

    schema: Literal["lstmbench.install/1"] = "lstmbench.install/1"
    runtime: str  # Subject.runtime
    version: str
    install_bytes: Positive  # without what Python compiles
