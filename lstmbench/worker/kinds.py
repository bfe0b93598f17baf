"""What each kind of workload repeats, in each region that it has."""

from lstmbench.records import Region, WorkloadKind
from lstmbench.worker.held import HeldDecode, HeldScore
from lstmbench.worker.request import Request
from lstmbench.worker.timing import Decode, Generate, Score

WORK: dict[tuple[WorkloadKind, Region], type[Score] | type[Decode] | type[Generate] | type[Request]] = {
    ("score", "end-to-end"): Score,
    ("decode", "end-to-end"): Decode,
    ("generate", "end-to-end"): Generate,
    ("request", "end-to-end"): Request,
    ("score", "compute"): HeldScore,
    ("decode", "compute"): HeldDecode,
}
