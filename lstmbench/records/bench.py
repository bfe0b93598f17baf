"""What is timed, on which machine, and the times."""

from typing import Literal

from lstmbench.records.base import Count, Extent, Positive, Record, Seconds, WorkloadKind
from lstmbench.records.check import Subject
from lstmbench.records.export import TIMED, Decoding, ExportedModel


class Workload(Record, frozen=True, kw_only=True):
    """What is timed: `score` is one call on (B, T); `decode` feeds each step's argmax back, T times.

    `generate` is one call of a graph that draws T tokens a row itself, as in TIMED.
    """

    kind: WorkloadKind
    batch: Extent
    time: Extent

    @property
    def tokens_per_sample(self) -> int:
        """Tokens that one sample covers: B·T of a call, or B of a decoding step."""
        return self.batch if self.kind == "decode" else self.batch * self.time

    def fits(self, exported: ExportedModel) -> bool:
        """Whether it can be asked: a form may take its own T alone, and only some models decode.

        Head `layer` has no tokens to feed back, and attention would read no state but that of the step.
        """
        if exported.draws or self.kind == "generate":
            return exported.draws and self.kind == "generate"
        decodes = self.kind == "score" or (exported.model.head == "lm" and not exported.model.uncut)
        return decodes and exported.steps in (None, *set(self.chunks))

    @property
    def chunks(self) -> tuple[int, ...]:
        """Steps of each call, from no state on."""
        return (1,) * self.time if self.kind == "decode" else (self.time,)

    @property
    def decoding(self) -> Decoding | None:
        """How tokens are drawn, where the graph draws them."""
        return TIMED if self.kind == "generate" else None


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
    start_s: tuple[float, ...]  # of each sample, since the measurement began
    sample_s: tuple[Seconds, ...]  # one call of `score` or `generate`, one step of `decode`
    rounds: tuple[Count, ...]  # how many samples each round took; rounds of all runtimes are interleaved

    def __post_init__(self) -> None:
        if not self.warmup_s or not self.sample_s:
            raise ValueError("a timing needs a warm-up and samples")
        if len(self.sample_s) != len(self.start_s) or len(self.sample_s) != sum(self.rounds):
            raise ValueError("every sample needs its start and its round")
        if min(self.sample_s) < _TICK_S:
            raise ValueError("a sample took no time: the clock cannot carry it")


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
