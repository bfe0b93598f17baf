"""What the machine could do at best with a workload."""

from typing import Annotated, Literal, TypeAlias

import msgspec

from lstmbench.records.base import Count, Record
from lstmbench.records.bench import Workload
from lstmbench.records.check import Subject

Rate: TypeAlias = Annotated[float, msgspec.Meta(ge=0, le=1e300)]


class Roof(Record, frozen=True, kw_only=True):
    """A line of `roofline.jsonl`: what a sample needs, and how fast the machine does that; or why it is not known.

    Williams, Waterman, Patterson, Roofline, Communications of the ACM 52(4), 2009; the rates are measured, not a
    data sheet's.
    """

    schema: Literal["lstmbench.roof/1"] = "lstmbench.roof/1"
    machine: str  # Machine.fingerprint
    subject: Subject
    workload: Workload
    operations: Count = 0  # of one sample, in matrix products and peepholes
    in_float32: bool = True  # whether products are what operations_per_s was measured of
    weight_bytes: Count = 0  # of the weights in these, in the precision that they are held in
    read_bytes: Count = 0  # of them, as often as one sample must read them
    operations_per_s: Rate = 0.0  # of float32 products of large matrices
    bytes_per_s: Rate = 0.0  # of a matrix-vector product over weight_bytes
    refused: str = ""

    def __post_init__(self) -> None:
        if not self.refused and not (self.operations_per_s and self.bytes_per_s):
            raise ValueError("a bound that was measured has rates over zero")
