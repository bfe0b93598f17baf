"""What is timed, on which machine, and the times."""

from typing import Annotated, Literal, TypeAlias

import msgspec

from lstmbench.records.base import Count, Extent, Positive, Record, Region, Seconds, WorkloadKind
from lstmbench.records.check import Subject
from lstmbench.records.export import TIMED, Decoding, ExportedModel


class Workload(Record, frozen=True, kw_only=True, omit_defaults=True):
    """What is timed: `score` is one call on (B, T); `decode` feeds each step's argmax back, T times.

    `generate` is one call of a graph that draws T tokens a row itself, as in TIMED. `request` reads a prompt (B, T) in
    one call and gives `new` tokens a row, each the argmax of the call before, one call a token.

    Region `end-to-end` takes NumPy arrays and gives them back, as a user's call does; `compute` is the same call
    without its copies, with all inputs where the engine computes, until its device has finished.
    """

    kind: WorkloadKind
    batch: Extent
    time: Extent
    new: Extent | None = None  # N of `request`
    shortest: Extent | None = None  # of the rows of `score`, which then end evenly spread from there to T
    region: Region = "end-to-end"

    def __post_init__(self) -> None:
        if (self.new is not None) != (self.kind == "request"):
            raise ValueError("new tokens are of requests, and a request has some")
        if self.shortest is not None and (self.kind != "score" or self.shortest > self.time):
            raise ValueError("rows of mixed lengths are scored, the longest of them T")
        if self.region == "compute" and self.kind in {"generate", "request"}:
            raise ValueError(f"{self.kind} is timed end to end: that is what it is about")

    @property
    def label(self) -> str:
        """What a line calls it: `score 1×16`."""
        inside = "" if self.region == "end-to-end" else f" ({self.region})"
        return f"{self.kind} {self.shape}{inside}"

    @property
    def shape(self) -> str:
        """Of rows of mixed lengths `8×4–16`, of a request `1×16+64`."""
        more = "" if self.new is None else f"+{self.new}"
        return f"{self.batch}×{'' if self.shortest is None else f'{self.shortest}–'}{self.time}{more}"

    @property
    def lengths(self) -> tuple[int, ...]:
        """Of each row, evenly spread up to T; () where all are T."""
        if self.shortest is None:
            return ()
        spread, last = self.time - self.shortest, max(1, self.batch - 1)
        return tuple(self.time - round(spread * row / last) for row in range(self.batch))

    @property
    def padding(self) -> float:
        """The share of the B·T steps of a call that lie behind their row's end."""
        return 1 - sum(self.lengths) / (self.batch * self.time) if self.lengths else 0.0

    @property
    def tokens_per_sample(self) -> int:
        """Useful tokens of one sample: B·T of a call, without padding; B of a decoding step, B·N of a request."""
        if self.kind == "decode":
            return self.batch
        if self.new is not None:
            return self.batch * self.new
        return sum(self.lengths) or self.batch * self.time

    def fits(self, exported: ExportedModel) -> bool:
        """Whether it can be asked: a form may take its own T alone, and only some models decode.

        Head `layer` has no tokens to feed back, and attention would read no state but that of the step.
        """
        if exported.draws or self.kind == "generate":
            return exported.draws and self.kind == "generate"
        decodes = self.kind == "score" or (exported.model.head == "lm" and not exported.model.uncut)
        return decodes and (exported.steps is None or {exported.steps} == {*self.chunks})

    @property
    def chunks(self) -> tuple[int, ...]:
        """Steps of each call, from no state on."""
        if self.new is not None:
            return (self.time, *(1,) * (self.new - 1))
        return (1,) * self.time if self.kind == "decode" else (self.time,)

    @property
    def steps(self) -> int:
        """Of each row, all calls together."""
        return sum(self.chunks)

    @property
    def decoding(self) -> Decoding | None:
        """How tokens are drawn, where the graph draws them."""
        return TIMED if self.kind == "generate" else None


Share: TypeAlias = Annotated[float, msgspec.Meta(ge=0, le=1)]
Mhz: TypeAlias = Annotated[float, msgspec.Meta(ge=0, le=1e6)]
_TICK_S = 1e-9  # of the clock


class Load(Record, frozen=True, kw_only=True):
    """What else the machine was doing."""

    at: str  # ISO 8601, UTC
    load_average: tuple[float, float, float]
    cpu_mhz: float | None


class Timing(Record, frozen=True, kw_only=True):
    """Raw times of one workload in one worker process, in the order in which they were taken."""

    session: Load  # what the machine was doing before the check that these samples followed
    budget_s: Seconds  # of sampling, that was asked for in all processes of the case together
    fresh: bool  # nothing else was run before in this process
    spawn_s: Seconds  # from the start of the process until it took requests: the interpreter and this package
    load_s: Seconds  # of the worker: import, read the file, build the session
    warmup_s: tuple[Seconds, ...]  # at the measured shape; the first is the first call
    steady: bool | None  # whether calls had stopped getting faster when sampling began; absent where too few can tell
    wall_s: Seconds  # that sampling took, with what is not timed in between
    cpu_s: Seconds  # of processor time in it, of all threads of the process
    stolen: Share | None = None  # of all processors in it, by the hypervisor; absent where that is not told
    cpu_mhz: Mhz | None = None  # the least clock that was seen at the end of a round
    start_s: tuple[float, ...]  # of each sample, since the measurement began
    sample_s: tuple[Seconds, ...]  # one call of `score` or `generate`, one step of `decode`, one whole `request`
    token_s: tuple[Seconds, ...] = ()  # of each `request`: from its start to the first token, then from token to token
    repeats: Positive = 1  # calls of a sample: over one, it is their mean, since the clock cannot tell one of them
    overhead_s: Seconds | None = None  # the engine's own part of what the clock told; absent in older files
    rounds: tuple[Count, ...]  # how many samples each round took; rounds of all runtimes are interleaved

    def __post_init__(self) -> None:
        if not self.warmup_s or not self.sample_s:
            raise ValueError("a timing needs a warm-up and samples")
        if len(self.sample_s) != len(self.start_s) or len(self.sample_s) != sum(self.rounds):
            raise ValueError("every sample needs its start and its round")
        if min(self.sample_s) < _TICK_S:
            raise ValueError("a sample took no time: the clock cannot carry it")
        if self.token_s:
            self._demand_whole_requests()

    def _demand_whole_requests(self) -> None:
        """The tokens of a request take its time, but for what the engine does around them."""
        each, rest = divmod(len(self.token_s), len(self.sample_s))
        if rest:
            raise ValueError("every request has as many tokens")
        for n, whole_s in enumerate(self.sample_s):
            tokens_s = sum(self.token_s[n * each : (n + 1) * each])
            if tokens_s > whole_s + (each + 1) * _TICK_S:
                raise ValueError("the tokens of a request took longer than the request")


class Measurement(Record, frozen=True, kw_only=True):
    """A line of `measurements.jsonl`: raw samples, or the reason why there are none."""

    schema: Literal["lstmbench.measurement/2"] = "lstmbench.measurement/2"
    machine: str  # Machine.fingerprint
    subject: Subject
    workload: Workload
    process: Count  # which of the case's worker processes, from 0
    twin: bool = False  # the very same case once more, under another name: what differs from it is noise
    timing: Timing | None
    refused: str = ""  # why there is no timing
    wrong: bool = False  # an answer was, which no samples of the case survive

    def __post_init__(self) -> None:
        if (self.timing is None) != bool(self.refused):
            raise ValueError("a measurement holds samples or a reason, never both or neither")
        each = self.workload.new or 0
        if self.timing and len(self.timing.token_s) != each * len(self.timing.sample_s):
            raise ValueError("a request has a time for each of its tokens, and nothing else has any")


class Machine(Record, frozen=True, kw_only=True):
    """`machine.json`: what a table must say of the machine that made it."""

    schema: Literal["lstmbench.machine/1"] = "lstmbench.machine/1"
    cpu: str
    instruction_sets: tuple[str, ...]
    cores_usable: Positive  # affinity and cgroup quota counted
    cores_physical: Positive | None
    memory_bytes: Positive
    system: str
    python: str
    governor: str | None
    versions: dict[str, str]
    before: Load
    after: Load | None = None

    @property
    def fingerprint(self) -> str:
        """What must agree before two rows may share a table."""
        return f"{self.cpu} x{self.cores_usable}, {self.system}"
