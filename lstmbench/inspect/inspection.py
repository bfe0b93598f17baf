"""What is told of a file; all of it is read from its graph, but for `claims`, which is what the file says of itself."""

from typing import Literal, TypeAlias

from lstmbench.onnxfile.external import External
from lstmbench.records import Record

Shape: TypeAlias = tuple[int | str | None, ...]  # a number is frozen, a name or None is open
Start: TypeAlias = Literal["input", "zeros", "constant", "computed"]
Attention: TypeAlias = Literal["masked", "not masked"]  # of the steps that a step reads


class Port(Record, frozen=True, kw_only=True):
    """An input or an output of the graph."""

    name: str
    dtype: str
    shape: Shape | None  # None: not declared
    time_axis: int | None = None  # of an input: where T stands, if that can be followed


class State(Record, frozen=True, kw_only=True):
    """One state of a recurrence: where it comes from, and which graph output hands it on."""

    name: str  # h, c, or the body's own name for it
    start: Start
    input: str | None = None
    output: str | None = None


class Recurrence(Record, frozen=True, kw_only=True):
    """One recurrent node, or one chain of steps without a node of its own."""

    name: str
    operator: str  # LSTM, GRU, RNN, Scan, Loop, DynamicQuantizeLSTM; "steps" for a chain
    cell: Literal["full", "diagonal", "none"] | None  # what it computes; None: no LSTM, or not recognised
    why: str  # what the cell was told by
    direction: str = "forward"
    input_size: int | None = None
    hidden_size: int | None = None
    steps: int | None = None  # of a chain, or of a Loop whose count is written into the graph
    layers: int = 1  # that one body holds
    states: tuple[State, ...] = ()
    options: tuple[
        str, ...
    ] = ()  # layout, sequence_lens, clip, input_forget, activations: what differs from the default
    where: str = ""  # the body or function that it stands in; empty: the graph itself


class Parameters(Record, frozen=True, kw_only=True):
    """The constant tensors of one type."""

    dtype: str
    tensors: int
    elements: int
    size_bytes: int


class Inspection(Record, frozen=True, kw_only=True):
    """One ONNX file."""

    schema: Literal["lstmbench.inspection/1"] = "lstmbench.inspection/1"
    file: str
    size_bytes: int
    sha256: str
    external: tuple[External, ...]
    ir_version: int
    opsets: dict[str, int]  # by domain; "ai.onnx" is ONNX's own
    producer: str
    form: str | None  # lstm, scan, loop, step, unrolledN, generate; None: no recurrence, or several forms
    head: Literal["lm", "layer", "classes"] | None  # classes: tokens in, and what comes out is of another size than V
    cell: Literal["full", "diagonal", "none"] | None
    precision: str | None
    input_size: int | None  # E of the first layer
    hidden_size: int | None  # H
    num_layers: int | None  # L
    directions: int | None  # D
    vocabulary_size: int | None  # V: of the table that tokens pick from
    output_size: int | None = None  # of the last axis of what comes out beside the states: classes, V or D·H
    inputs: tuple[Port, ...]
    outputs: tuple[Port, ...]
    attention: Attention | None = None  # among the steps of a call; None: no step reads others
    contract: str  # of all states, in one line
    recurrences: tuple[Recurrence, ...]
    nodes: dict[str, int]  # by operator, bodies and functions included, the most frequent first
    parameters: tuple[Parameters, ...]
    claims: dict[str, str]  # metadata under lstmbench.*
    disagreements: tuple[str, ...]  # where the claims are not what the graph is
    warnings: tuple[str, ...]
