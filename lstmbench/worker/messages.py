"""What parent and child say to each other: eleven requests, and a reply to each but the last."""

import math
from typing import Any, Literal, TypeAlias, cast

import numpy as np
from numpy.typing import NDArray

from lstmbench.arrays import Floats, Lengths, State
from lstmbench.records import Arrivals, Count, ExportedModel, Placement, Positive, Record, Served, Workload

Dtype: TypeAlias = Literal[
    "bool",
    "int8",
    "int16",
    "int32",
    "int64",
    "uint8",
    "uint16",
    "uint32",
    "uint64",
    "float16",
    "float32",
    "float64",
    "complex64",
    "complex128",
]


class Array(Record, frozen=True, kw_only=True):
    """An array in C order and this machine's byte order."""

    dtype: Dtype
    shape: tuple[Count, ...]
    data: bytes

    def __post_init__(self) -> None:
        want = np.dtype(self.dtype).itemsize * math.prod(self.shape)
        if len(self.data) != want:
            raise ValueError(f"{self.dtype} {self.shape} takes {want} bytes, not {len(self.data)}")


class Load(Record, frozen=True, kw_only=True, tag=True):
    """The first request: take up this runtime."""

    runtime: str
    exported: ExportedModel
    threads: Positive


class Run(Record, frozen=True, kw_only=True, tag=True):
    """Compute once; without h and c from zeros."""

    inputs: Array
    state: tuple[Array, Array] | None
    lengths: Array | None  # absent where the export takes none


class Generate(Record, frozen=True, kw_only=True, tag=True):
    """Draw tokens; without h and c from zeros."""

    prompt: Array
    state: tuple[Array, Array] | None
    uniform: Array
    temperature: float
    top_k: Count


class Measure(Record, frozen=True, kw_only=True, tag=True):
    """Time a workload."""

    workload: Workload
    inputs: Array
    warmup_s: float
    budget_s: float
    min_samples: Positive
    max_samples: Positive
    repeats: Count = 0  # steps a sample; 0 for as many as the clock needs


class Weigh(Record, frozen=True, kw_only=True, tag=True):
    """Tell how much memory a workload takes."""

    workload: Workload
    inputs: Array


class Serve(Record, frozen=True, kw_only=True, tag=True):
    """Answer queries as they arrive, each of the same rows."""

    asked: Arrivals
    inputs: Array


class LoadGraph(Record, frozen=True, kw_only=True, tag=True):
    """The first request, in place of Load: take up a graph, of this or any other exporter."""

    runtime: str
    path: str
    threads: Positive


class RunGraph(Record, frozen=True, kw_only=True, tag=True):
    """Compute once: every input of the graph by its name."""

    inputs: dict[str, Array]


class FindRoof(Record, frozen=True, kw_only=True, tag=True):
    """Tell how fast this process multiplies, and reads so many bytes; nothing need be loaded."""

    weight_bytes: Positive


class Meet(Record, frozen=True, kw_only=True, tag=True):
    """The first request, in place of Load, where there is no model: only import the adapter."""

    runtime: str


class Close(Record, frozen=True, kw_only=True, tag=True):
    """Release the runtime and exit; there is no reply but the end."""


class WorkerInfo(Record, frozen=True, kw_only=True, tag=True):
    """Reply to Load and LoadGraph: which engine it is, how long it took to be ready, and what runs where."""

    version: str
    code_sha256: str  # of the adapter and of what it computes with
    taken_s: float  # when the request was taken, on the system-wide monotonic clock
    load_s: float  # import the engine, read the file, build the session
    placement: tuple[Placement, ...]
    provider: str = ""  # that the adapter promises
    device: str = ""  # that it computes on, where the name of the runtime says something else


class Answer(Record, frozen=True, kw_only=True, tag=True):
    """Reply to Run, and to Generate: its output are tokens."""

    output: Array
    state: tuple[Array, Array]


class Outputs(Record, frozen=True, kw_only=True, tag=True):
    """Reply to RunGraph: every output of the graph by its name."""

    outputs: dict[str, Array]


class Samples(Record, frozen=True, kw_only=True, tag=True):
    """Reply to Measure: raw times in the order in which they were taken."""

    warmup_s: tuple[float, ...]  # durations of the warm-up calls, the first call first
    start_s: tuple[float, ...]  # of each sample, on the system-wide monotonic clock
    sample_s: tuple[float, ...]  # durations
    token_s: tuple[float, ...] = ()  # of each request: to its first token, then from token to token
    repeats: Positive = 1  # steps a sample, which is their mean
    overhead_s: float = 0.0  # of the engine, in a sample
    steady: bool | None  # whether the warm-up had stopped getting faster; absent where too few calls can tell
    stolen_s: float | None = None  # of all processors in it, by the hypervisor; absent where it is not told
    spent_s: float = 0.0  # by all processors in it, idle or not
    cpu_mhz: float | None = None  # at its end
    wall_s: float  # of sampling, with what is not timed in between
    cpu_s: float  # processor time of all threads in it


class Footprint(Record, frozen=True, kw_only=True, tag=True):
    """Reply to Weigh."""

    empty_bytes: Count  # resident before the engine was imported
    idle_bytes: Count  # resident with the model loaded, before anything was run
    peak_bytes: Count  # the most while the workload ran, over idle


class Rates(Record, frozen=True, kw_only=True, tag=True):
    """Reply to FindRoof."""

    operations_per_s: float
    bytes_per_s: float


class Outcome(Record, frozen=True, kw_only=True, tag=True):
    """Reply to Serve."""

    served: Served


class Met(Record, frozen=True, kw_only=True, tag=True):
    """Reply to Meet."""

    version: str
    offers: tuple[str, ...]  # providers that the engine was built with
    device: str  # as WorkerInfo has it
    lacks: str  # what the machine must have and has not; empty where nothing is known to be missing


class Failure(Record, frozen=True, kw_only=True, tag=True):
    """Reply to any request that could not be served."""

    error: str  # the name of a class in lstmbench.errors
    message: str


Request: TypeAlias = Load | Run | Generate | Measure | Weigh | Serve | LoadGraph | RunGraph | FindRoof | Meet | Close
Reply: TypeAlias = WorkerInfo | Answer | Samples | Footprint | Outputs | Rates | Outcome | Met | Failure


def pack(array: NDArray[Any]) -> Array:
    """An array of any shape, layout and byte order -> what is sent."""
    native = array.astype(array.dtype.newbyteorder("="), copy=False)
    return Array(dtype=cast("Dtype", native.dtype.name), shape=array.shape, data=native.tobytes())


def unpack(array: Array) -> NDArray[Any]:
    """What was sent -> an array of its own memory: aligned and writable, as engines want it."""
    return np.frombuffer(array.data, array.dtype).reshape(array.shape).copy()


def unpack_lengths(array: Array | None) -> Lengths | None:
    """Unpack what is known to be int32, if it was sent."""
    assert array is None or array.dtype == "int32"
    return None if array is None else unpack(array).astype(np.int32, copy=False)


def pack_state(state: State) -> tuple[Array, Array]:
    """Pack h and c."""
    return pack(state.h), pack(state.c)


def unpack_floats(*arrays: Array) -> tuple[Floats, ...]:
    """Unpack what is known to be float32."""
    assert all(array.dtype == "float32" for array in arrays)
    return tuple(unpack(array).astype(np.float32, copy=False) for array in arrays)
