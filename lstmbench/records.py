"""The frozen records that flow between verbs and lie on disk: versioned, validated when read.

Shapes: B batch, T time, E input, H hidden, L layers, D directions, V vocabulary. Times are in seconds.
"""

import math
from pathlib import Path
from typing import Annotated, Literal, TypeAlias

import msgspec

Peephole: TypeAlias = Literal["full", "diagonal", "none"]
Head: TypeAlias = Literal["lm", "layer"]
# of a graph; step and unrolledN run 1 and N steps a call, generate draws tokens itself
Form: TypeAlias = Annotated[str, msgspec.Meta(pattern=r"\A(lstm|scan|loop|step|unrolled[1-9][0-9]{0,3}|generate)\Z")]
Precision: TypeAlias = Literal["fp32", "fp16", "int8", "int4", "int4a8"]
Unit: TypeAlias = Literal["char", "word", "bpe"]
WorkloadKind: TypeAlias = Literal["score", "decode", "generate"]
Positive: TypeAlias = Annotated[int, msgspec.Meta(ge=1)]
Size: TypeAlias = Annotated[int, msgspec.Meta(ge=1, le=2**16)]  # of a layer: far above any LSTM
MOST_THREADS = 1024  # more crash the engines that they are given to
Threads: TypeAlias = Annotated[int, msgspec.Meta(ge=1, le=MOST_THREADS)]
Count: TypeAlias = Annotated[int, msgspec.Meta(ge=0)]


class Record(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What every record shares: immutable, named fields, nothing unknown accepted."""


class ModelConfig(Record, frozen=True, kw_only=True):
    """The cell and the sizes of a model; head `layer` is the bare recurrent stack, without a vocabulary."""

    head: Head
    peephole: Peephole
    input_size: Size  # E; the embedding's size for head `lm`
    hidden_size: Size  # H
    num_layers: Size = 1  # L
    bidirectional: bool = False
    bias: bool = True
    vocabulary_size: Count = 0  # V; 0 for head `layer`
    tie_weights: bool = False  # the projection is the embedding, transposed; needs E = H

    def __post_init__(self) -> None:
        if (self.head == "lm") != (self.vocabulary_size > 0):
            raise ValueError("head 'lm' needs a vocabulary, head 'layer' has none")
        if self.head == "lm" and self.bidirectional:
            raise ValueError("a language model reads forward only: bidirectional needs head 'layer'")
        if self.tie_weights and self.input_size != self.hidden_size:
            raise ValueError("tied weights need an embedding as wide as the hidden state")

    @property
    def directions(self) -> int:
        """D: 2 if bidirectional, else 1."""
        return 2 if self.bidirectional else 1

    @property
    def output_names(self) -> tuple[str, str, str]:
        """The names of the graph's outputs, the head's own first."""
        return ("logits" if self.head == "lm" else "y", "h_n", "c_n")

    def layers_only(self) -> "ModelConfig":
        """The same recurrent stack as head `layer`."""
        return msgspec.structs.replace(self, head="layer", vocabulary_size=0, tie_weights=False)

    def state_shape(self, batch: int) -> tuple[int, int, int]:
        """The shape (D·L, B, H) of h and of c."""
        return (self.directions * self.num_layers, batch, self.hidden_size)


class CorpusInfo(Record, frozen=True, kw_only=True):
    """Which text a model was trained on."""

    name: str
    unit: Unit
    sha256: str  # of the whole text, UTF-8
    characters: Count
    tokens: Count  # in the training split


class TrainConfig(Record, frozen=True, kw_only=True):
    """How a model is trained; every field decides the result, so all of it is kept."""

    batch: Size = 32  # rows of text side by side
    time: Size = 32  # steps of one truncated back-propagation
    steps: Positive = 1000
    learning_rate: Annotated[float, msgspec.Meta(gt=0)] = 6e-3
    warmup_steps: Count = 50
    weight_decay: Annotated[float, msgspec.Meta(ge=0)] = 0.01
    clip_norm: Annotated[float, msgspec.Meta(gt=0)] = 1.0
    peephole_rate: Annotated[float, msgspec.Meta(gt=0)] = 0.1  # of the learning rate, for full peepholes
    cell_penalty: Annotated[float, msgspec.Meta(ge=0)] = 0.1  # times the mean of c² at the end of a chunk
    dropout: Annotated[float, msgspec.Meta(ge=0, lt=1)] = 0.0
    precision: Literal["fp32", "bf16"] = "fp32"  # of the matrix products; the rest is float32
    validate_every: Positive = 250
    seed: Annotated[int, msgspec.Meta(ge=0, le=2**62)] = 0
    threads: Threads = 1

    def __post_init__(self) -> None:
        for name in ("learning_rate", "weight_decay", "clip_norm", "peephole_rate", "cell_penalty"):
            if not math.isfinite(getattr(self, name)):
                raise ValueError(f"{name} must be a finite number")


class ModelFolder(Record, frozen=True, kw_only=True):
    """`config.json` of a model folder; training and corpus are absent for a bare layer."""

    schema: Literal["lstmbench.model/1"] = "lstmbench.model/1"
    model: ModelConfig
    training: TrainConfig | None = None
    corpus: CorpusInfo | None = None


class Score(Record, frozen=True, kw_only=True):
    """How well a model predicts held-out text."""

    nats: float  # a token
    perplexity: float  # exp(nats)
    bits_per_character: float | None  # absent where the unit loses characters (word)
    tokens: Positive  # predicted


class ShapeCheck(Record, frozen=True, kw_only=True):
    """One output of one shape at which a written file was run and compared."""

    batch: Positive
    time: Positive
    output: str
    max_error: float
    bound: float


class Quality(Record, frozen=True, kw_only=True):
    """What a lower precision costs: a file beside the model that it was made from, on the same inputs."""

    # root mean square of the difference of their outputs over that of the model's; absent where the model gives zeros
    relative_error: float | None
    tokens: Count = 0  # of held-out text; 0 for head `layer`, where the rest is absent
    perplexity: float | None = None  # of the file
    perplexity_change: float | None = None  # over the model's: 0.01 is one per cent more
    perplexity_change_at_most: float | None = None  # with 95 % confidence, over the rows of the text
    top1_agreement: float | None = None  # share of tokens at which both hold the same one most likely


class DataFile(Record, frozen=True, kw_only=True):
    """The file beside an exported one that holds its large tensors."""

    file: str
    size_bytes: Positive
    sha256: str


class ExportRecord(Record, frozen=True, kw_only=True):
    """`<form>-<precision>.json` beside an exported file: what it is and how it was proved."""

    schema: Literal["lstmbench.export/1"] = "lstmbench.export/1"
    file: str
    sha256: str
    model: ModelConfig
    form: Form
    precision: Precision
    lengths: bool = False  # whether each row of a batch has its own, an input of the graph
    opset: Positive
    ir_version: Positive
    weights_sha256: str  # of the tensors that it was made from
    verified: tuple[ShapeCheck, ...]
    verified_with: str  # "onnxruntime-cpu 1.32.0"
    quality: Quality | None = None  # of precisions below fp32, where a text was at hand
    data: DataFile | None = None  # absent where the file holds all of it

    @property
    def sums(self) -> dict[str, str]:
        """Every file of the export with its SHA-256."""
        return {self.file: self.sha256} | ({} if self.data is None else {self.data.file: self.data.sha256})


class Decoding(Record, frozen=True, kw_only=True):
    """What a graph of form `generate` is asked for, beside the numbers that it draws at."""

    prompt: Positive  # tokens a row
    temperature: Annotated[float, msgspec.Meta(ge=0)]  # 0: the most likely token
    top_k: Count  # 0: all


TIMED = Decoding(prompt=1, temperature=1.0, top_k=0)  # the dearest draw: all of the vocabulary stands in order


def steps_of(form: Form) -> int | None:
    """T of every call of a graph; None where it may be any."""
    return 1 if form == "step" else int(form.removeprefix("unrolled")) if form.startswith("unrolled") else None


class ExportedModel(Record, frozen=True, kw_only=True):
    """An exported file in its model folder."""

    folder: str
    record: ExportRecord

    @property
    def path(self) -> Path:
        """The ONNX file."""
        return Path(self.folder) / self.record.file

    @property
    def name(self) -> str:
        """`<model>/<form>-<precision>`, as tables show it, with `-lengths` where the file takes them."""
        return f"{Path(self.folder).resolve().name}/{Path(self.record.file).stem}"

    @property
    def model(self) -> ModelConfig:
        """The sizes and the cell, of the head that was exported."""
        return self.record.model

    @property
    def steps(self) -> int | None:
        """T of every call; None where it may be any."""
        return steps_of(self.record.form)

    @property
    def draws(self) -> bool:
        """Whether the graph draws tokens itself, instead of giving logits."""
        return self.record.form == "generate"


class Placement(Record, frozen=True, kw_only=True):
    """How many nodes of one operator ran on one provider."""

    provider: str
    operator: str
    nodes: Positive


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
    placement: tuple[Placement, ...] = ()

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
        """The subject without its placement: what a run that goes on looks for."""
        return msgspec.structs.replace(self, placement=())


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
    batch: Positive
    time: Positive
    chunks: tuple[int, ...]  # steps a call; the state is carried from one to the next
    state: Literal["random", "none"] = "random"  # what the first call starts from
    decoding: Decoding | None = None  # of form `generate`: time and chunks count tokens drawn
    lengths: tuple[int, ...] = ()  # of each row, all calls together; empty where all rows are of length T
    output: str
    # of `tokens`, what logits must be off by to draw them; absent where an output is not finite, has another shape, or
    # never came
    max_error: float | None
    float32_error: float  # the largest of the NumPy reference in float32, on the same input, in several orders
    bound: float
    worst_index: tuple[int, ...] = ()
    got: float | None = None
    want: float | None = None
    reason: str = ""  # why it failed; empty when it passed

    @property
    def passed(self) -> bool:
        """Whether the output is within its bound."""
        return not self.reason


class Workload(Record, frozen=True, kw_only=True):
    """What is timed: `score` is one call on (B, T); `decode` feeds each step's argmax back, T times.

    `generate` is one call of a graph that draws T tokens a row itself, as in TIMED.
    """

    kind: WorkloadKind
    batch: Positive
    time: Positive

    @property
    def tokens_per_sample(self) -> int:
        """Tokens that one sample covers: B·T of a call, or B of a decoding step."""
        return self.batch if self.kind == "decode" else self.batch * self.time

    def fits(self, exported: ExportedModel) -> bool:
        """Whether it can be asked: head `layer` has no tokens to feed back, and a form may take its own T alone."""
        if exported.draws or self.kind == "generate":
            return exported.draws and self.kind == "generate"
        decodes = self.kind == "score" or exported.model.head == "lm"
        return decodes and exported.steps in (None, *set(self.chunks))

    @property
    def chunks(self) -> tuple[int, ...]:
        """Steps of each call, from no state on."""
        return (1,) * self.time if self.kind == "decode" else (self.time,)

    @property
    def decoding(self) -> Decoding | None:
        """How tokens are drawn, where the graph draws them."""
        return TIMED if self.kind == "generate" else None


class Load(Record, frozen=True, kw_only=True):
    """What else the machine was doing."""

    at: str  # ISO 8601, UTC
    load_average: tuple[float, float, float]
    cpu_mhz: float | None


class Timing(Record, frozen=True, kw_only=True):
    """Raw times of one workload in one worker process, in the order in which they were taken."""

    session: Load  # what the machine was doing before the check that these samples followed
    budget_s: float  # of sampling, that was asked for
    fresh: bool  # nothing else was run before in this process
    load_s: float  # of the worker: import, read the file, build the session
    warmup_s: tuple[float, ...]  # at the measured shape; the first is the first call
    start_s: tuple[float, ...]  # of each sample, since the measurement began
    sample_s: tuple[float, ...]  # one call of `score` or `generate`, one step of `decode`
    rounds: tuple[int, ...]  # how many samples each round took; rounds of all runtimes are interleaved

    def __post_init__(self) -> None:
        if not self.warmup_s or not self.sample_s:
            raise ValueError("a timing needs a warm-up and samples")
        if len(self.sample_s) != len(self.start_s) or len(self.sample_s) != sum(self.rounds):
            raise ValueError("every sample needs its start and its round")
        if min(self.sample_s) <= 0:
            raise ValueError("a sample took no time: the clock cannot carry it")


class Measurement(Record, frozen=True, kw_only=True):
    """A line of `measurements.jsonl`: raw samples, or the reason why there are none."""

    schema: Literal["lstmbench.measurement/1"] = "lstmbench.measurement/1"
    machine: str  # Machine.fingerprint
    subject: Subject
    workload: Workload
    timing: Timing | None
    refused: str = ""  # why there is no timing

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


class StudyRow(Record, frozen=True, kw_only=True):
    """One model that a study trained."""

    name: str  # of its folder
    folder: ModelFolder
    parameters: Positive
    weights_sha256: str
    test: Score


class Study(Record, frozen=True, kw_only=True):
    """`study.json`: cells of equal size and budget on one text, several seeds each, and a floor on the same split."""

    schema: Literal["lstmbench.study/1"] = "lstmbench.study/1"
    floor: tuple[Score, ...]  # Witten-Bell n-grams, order 1, 2, …
    rows: tuple[StudyRow, ...]
    machine: Machine
