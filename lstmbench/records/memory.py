"""What a workload takes in memory."""

from typing import Literal

from lstmbench.records.base import Count, Record
from lstmbench.records.bench import Workload
from lstmbench.records.check import Subject


class Weight(Record, frozen=True, kw_only=True):
    """A line of `memory.jsonl`: the resident set of a worker process that is not timed, or why it is not known."""

    schema: Literal["lstmbench.weight/1"] = "lstmbench.weight/1"
    machine: str  # Machine.fingerprint
    subject: Subject
    workload: Workload
    file_bytes: Count | None = None  # of the exported file and the data beside it; absent where none is read
    weight_bytes: Count | None = None  # of all weights in the precision that they are held in, scales left out
    empty_bytes: Count = 0  # resident before the engine was imported
    idle_bytes: Count = 0  # resident with the model loaded, before anything was run
    peak_bytes: Count = 0  # the most while the workload ran, over idle
    refused: str = ""
