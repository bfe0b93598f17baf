"""What a runtime answered, beside the reference."""

from typing import Literal, TypeAlias

import msgspec

from lstmbench.records.base import Count, Error, Extent, Form, Head, Peephole, Positive, Precision, Record, Threads
from lstmbench.records.export import Decoding, ExportedModel

# plain: the inputs as they are; steps: each step (N of form `unrolledN`) a row of one batch, from the reference's own
# state; permuted: the rows in another order; padded: something else behind each row's length; again: after a call with
# other inputs and another state; vocabulary: each row another token, until all were asked
Asked: TypeAlias = Literal["plain", "steps", "permuted", "padded", "again", "vocabulary"]
# the state before the first step; h alone: c is zero, c alone: h is; large: it drives gates far, and so do the inputs
Start: TypeAlias = Literal["random", "none", "zeros", "h alone", "c alone", "large"]


class Placement(Record, frozen=True, kw_only=True):
    """How many nodes of one operator ran on one provider."""

    provider: str
    operator: str
    nodes: Positive
    recurrent: bool = False  # part of a layer, its Scan or Loop and what is in it
    precision: str = ""  # that they computed in, whatever the file says; of recurrent ones, where the engine tells


def labelled(runtime: str, device: str) -> str:
    """A runtime as tables name it: with what it computed on, where its own name says something else."""
    return f"{runtime} ({device})" if device else runtime


UNTOLD = "a provider that is not told"


# operators that move data or tell its shape: those of whole numbers and shapes stay on the CPU, whatever is promised
MOVES = frozenset(
    "Cast Concat Constant ConstantOfShape Expand Gather Identity MemcpyFromHost MemcpyToHost Reshape Shape Slice Split "  # noqa: SIM905
    "Squeeze Transpose Unsqueeze".split()
)


def strays(promised: str, placement: tuple[Placement, ...]) -> tuple[str, ...]:
    """The providers other than the one promised that ran recurrent nodes, or any that compute.

    None where nothing was promised; where none is told of any recurrent node, one that is not told.
    """
    computing = {part.provider for part in placement if part.recurrent or part.operator not in MOVES}
    if not promised:
        return ()
    told = any(part.recurrent for part in placement)
    return tuple(sorted(computing - {promised})) or (() if told else (UNTOLD,))


class Subject(Record, frozen=True, kw_only=True):
    """What a row is about: one export on one runtime."""

    model: str
    model_sha256: str
    head: Head
    peephole: Peephole
    form: Form
    precision: Precision
    runtime: str
    runtime_version: str
    code_sha256: str  # of the adapter, and of what it computes with: a pass counts for the code that passed
    threads: Threads
    device: str = ""  # that it computes on, where the name of the runtime says something else
    provider: str = ""  # that the runtime's name promises; empty where the engine has no such notion
    placement: tuple[Placement, ...] = ()

    @property
    def strays(self) -> tuple[str, ...]:
        """The other providers that ran nodes which compute: then a figure is not that of the one that is promised.

        Where none is told of any recurrent node, nothing shows that the promised one ran them.
        """
        return strays(self.provider, self.placement)

    def replaces(self, other: "Subject") -> bool:
        """Whether this is what the other was, made again: another file of that name, or that adapter, edited.

        What could be loaded replaces what could not, and so had no version.
        """
        if self.model != other.model or self.model_sha256 != other.model_sha256:
            return self.model == other.model
        if (self.runtime, self.threads) != (other.runtime, other.threads) or not self.runtime_version:
            return False
        edited = self.runtime_version == other.runtime_version and self.code_sha256 != other.code_sha256
        return edited or not other.runtime_version

    @property
    def identity(self) -> "Subject":
        """The subject without its providers: what a run that goes on looks for."""
        return msgspec.structs.replace(self, provider="", placement=())


class Clearance(Record, frozen=True, kw_only=True):
    """What `check` says of one export on one runtime, and `bench` goes by."""

    exported: ExportedModel
    subject: Subject  # its runtime_version is empty where the runtime could not even load
    refused: str = ""  # why it may not be measured; empty when every output was within its bound

    @property
    def passed(self) -> bool:
        """Whether it may be measured."""
        return not self.refused


class ParityRow(Record, frozen=True, kw_only=True):
    """One output of one run against the float64 reference; also a line of `parity.jsonl`."""

    schema: Literal["lstmbench.parity/1"] = "lstmbench.parity/1"
    subject: Subject
    batch: Extent
    time: Extent
    chunks: tuple[Positive, ...]  # steps a call; the state is carried from one to the next
    state: Start = "random"  # what the first call starts from
    asked: Asked = "plain"
    decoding: Decoding | None = None  # of form `generate`: time and chunks count tokens drawn
    lengths: tuple[Positive, ...] = ()  # of each row, all calls together; empty where all rows are of length T
    first_token: Count = 0  # of the first row, where the vocabulary is asked for
    output: str
    # of `tokens`, what logits must be off by to draw them; absent where an output is not finite, has another shape, or
    # never came
    max_error: Error | None
    float32_error: Error  # the largest of the NumPy reference in float32 and the file's precision, in several orders
    bound: Error
    worst_index: tuple[Count, ...] = ()
    got: float | None = None
    want: float | None = None
    # of the last of its T steps, and of a state T or none, the error is reported and not judged: the cell is chaotic
    unjudged_steps: Count = 0
    reason: str = ""  # why it failed; empty when it passed

    def __post_init__(self) -> None:
        if self.passed and (self.max_error is None or (self.judged and self.max_error > self.bound)):
            raise ValueError("an output that is not within its bound needs a reason")

    @property
    def passed(self) -> bool:
        """Whether what is judged of the output is within its bound."""
        return not self.reason

    @property
    def judged(self) -> bool:
        """Whether any of it is judged: a pass of a row that is only reported says nothing."""
        return self.unjudged_steps < self.time
