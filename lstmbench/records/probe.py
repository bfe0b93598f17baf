"""What a runtime made of a feature of the LSTM operator, and what finds which mistake."""

from typing import Literal, TypeAlias

from lstmbench.records.base import Count, Record
from lstmbench.records.bench import Machine
from lstmbench.records.check import Placement

Finding: TypeAlias = Literal["right", "wrong", "refused", "crashed"]


class ProbeError(Record, frozen=True, kw_only=True):
    """One output of one call, beside what the operator gives."""

    batch: Count
    time: Count
    output: str
    max_error: float | None  # absent where it is not finite, or of another shape or type
    tolerance: float

    @property
    def passed(self) -> bool:
        """Whether it is what the operator gives."""
        return self.max_error is not None and self.max_error <= self.tolerance


class ProbeRow(Record, frozen=True, kw_only=True):
    """A line of `probes.jsonl`: one feature on one runtime, in a process of its own."""

    schema: Literal["lstmbench.probe/1"] = "lstmbench.probe/1"
    machine: str  # Machine.fingerprint
    runtime: str
    runtime_version: str  # empty where the process could not even load the graph
    code_sha256: str  # of the adapter, and of what it computes with; empty there too
    device: str = ""  # that it computes on, where the name of the runtime says something else
    placement: tuple[Placement, ...] = ()
    feature: str
    question_sha256: str  # of the graph, what it is given, what is right and how far an answer may be off
    finding: Finding
    errors: tuple[ProbeError, ...] = ()  # of every output of every call that was answered
    reason: str = ""  # what is off where most, or what the runtime said; empty where it is right
    resembles: str = ""  # the mistake whose answer it is: "without clip on C_t"

    def __post_init__(self) -> None:
        if (self.finding == "right") != (not self.reason):
            raise ValueError("what is not right has a reason, and what is right has none")
        if self.finding == "right" and not (self.errors and all(error.passed for error in self.errors)):
            raise ValueError("what is right was answered within its tolerances")
        if self.resembles and self.finding != "wrong":
            raise ValueError("only a wrong answer can be that of a mistake")

    @property
    def worst(self) -> ProbeError | None:
        """The output that is off most, in tolerances; None where nothing was answered."""
        return max(self.errors, key=_share, default=None)


def _share(error: ProbeError) -> float:
    return float("inf") if error.max_error is None else error.max_error / error.tolerance


class MistakeRow(Record, frozen=True, kw_only=True):
    """What finds one mistake."""

    mistake: str
    onnx_found: tuple[str, ...]  # which of ONNX's own cases fail for it
    rows_asked: Count  # rows of the probe in float32 and double that it bears on
    rows_found: Count
    close_1e5_found: Count  # of the same rows, if they were compared by allclose(rtol = atol = 1e-5)
    close_1e3_found: Count


class Survey(Record, frozen=True, kw_only=True):
    """`onnx-cases.json`: what the LSTM cases of ONNX's backend tests find, beside the rows of the probe."""

    schema: Literal["lstmbench.survey/1"] = "lstmbench.survey/1"
    machine: Machine
    onnx_version: str
    cases: tuple[str, ...]
    rows: Count
    mistakes: tuple[MistakeRow, ...]
