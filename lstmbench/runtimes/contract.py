"""What a runtime must do to be checked and measured; third parties implement it and register an entry point.

An adapter is a class with these members; it needs no base class. It lives alone in a worker process, may print what it
likes, and is called with inputs that were checked before: B, T >= 1, ids inside the vocabulary, the right dtypes and
shapes. What it answers is checked after each call. In `pyproject.toml` of the package that brings it:

    [project.entry-points."lstmbench.runtimes"]
    myengine-cpu = "my_package.my_module:MyEngineCpu"

Its name says engine and provider. It raises an LstmbenchError, in one line, for what a user can mend; anything else
that it raises is shown as its own failure. A provider other than the one that its name promises is an error: an adapter
with providers says which one that is in an attribute `provider`, as its `placement` names it, and is refused where
computing nodes ran on another. What it computes on, where its name says something else, as a GPU's provider in software
does, stands in an attribute `device`, and in every table. Of exports of form `generate` nothing is asked but what
`Draws` says, and of a class without it nothing at all. A call can be timed without its copies where the class has
`hold`, as `Holds` says; of one without it, region `compute` is refused.

An engine that runs any ONNX graph says so by a class method `graph`, as `RunsGraphs` has it; the class is then named
under `lstmbench.graphs`, in a section like the one above, and need not be a `Runtime` at all. What `graph` returns has
an attribute `provider` too, if the engine has providers. In a file of another exporter, operators that recur are known
by their names; where none is told of, all nodes are held to the provider.
"""

import inspect
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Protocol

from numpy.typing import NDArray

from lstmbench.arrays import Floats, Lengths, State, Tokens
from lstmbench.records import ExportedModel, Placement


class Draws(Protocol):
    """What a runtime may have besides: tokens drawn as `lstmbench.model.sampling` says, for form `generate`."""

    def generate(
        self, prompt: Tokens, state: State | None, uniform: Floats, *, temperature: float, top_k: int
    ) -> tuple[Tokens, State]:
        """Read prompt (B, T) from `state` or zeros, draw at uniform (B, N) -> tokens (B, N) int64, and the state.

        The state is the one before the last token, which is the next prompt of whoever goes on.
        """
        ...


class Runtime(Protocol):
    """One engine that holds one model."""

    version: str  # of the engine

    def __init__(self, exported: ExportedModel, *, threads: int) -> None:
        """Load the model for `threads` threads, ready to run; LstmbenchError if that cannot be done."""

    def run(
        self, inputs: Tokens | Floats, state: State | None, *, lengths: Lengths | None = None
    ) -> tuple[Floats, State]:
        """Compute the output and the next state from `state`, or from zeros.

        Head `lm`: tokens (B, T) int64 -> logits (B, T, V); head `layer`: x (B, T, E) -> y (B, T, D·H). States are
        (D·L, B, H); all floats are float32.

        `lengths` (B,) int32, 1 to T, are given where `exported.record.lengths` says so, and only there: an adapter may
        do without the argument, and then is not asked to load such an export. Beyond its length a row keeps its state,
        and its y is zero; the reverse direction starts at each row's own end.
        """
        ...

    def placement(self) -> tuple[Placement, ...]:
        """Which provider runs how many nodes of each operator; () where the engine has no such notion."""
        ...

    def close(self) -> None:
        """Release what the engine holds; nothing is called afterwards."""


class Held(Protocol):
    """One call whose inputs lie where the engine computes, and whose outputs stay there."""

    def compute(self) -> None:
        """Compute once, and return when the device has finished: this, and nothing else, is region `compute`."""
        ...

    def answer(self) -> tuple[Floats, State]:
        """What the last `compute` gave, as `run` would; never one that an earlier call left."""
        ...


class Holds(Protocol):
    """What a runtime may have besides: a call in two parts, so that copies are in no time."""

    def hold(self, inputs: Tokens | Floats, state: State | None, *, lengths: Lengths | None = None) -> Held:
        """Put what `run` takes where the engine computes; on a CPU that is where it lies, or a tensor of the engine's.

        What was held before is not computed again.
        """
        ...


class GraphSession(Protocol):
    """One engine that holds one ONNX graph, as it lies on disk."""

    version: str  # of the engine

    def run(self, inputs: Mapping[str, NDArray[Any]]) -> dict[str, NDArray[Any]]:
        """Compute all outputs of the graph from its inputs, both by name; what cannot be computed is an exception."""
        ...

    def placement(self) -> tuple[Placement, ...]:
        """Which provider runs how many nodes of each operator; () where the engine has no such notion."""
        ...

    def close(self) -> None:
        """Release what the engine holds; nothing is called afterwards."""


class RunsGraphs(Protocol):
    """What a class is whose engine runs any ONNX file, of this or any other exporter."""

    @classmethod
    def graph(cls, path: Path, *, threads: int) -> GraphSession:
        """Load a file for `threads` threads, ready to run; external data lies in its folder."""
        ...


class Carried(Protocol):
    """A state that stays where the engine computes, from one call to the next."""

    def run(self, inputs: Tokens | Floats, *, lengths: Lengths | None = None) -> Floats:
        """Compute the output as `Runtime.run` does, from the state that is here, which becomes the next one."""
        ...

    def state(self) -> State:
        """Copy the state to the host."""
        ...


class Carries(Protocol):
    """What a runtime may have besides: calls that go on from each other, as decoding does, with no copy of the state.

    What is timed so is checked so: a call from the very state that the last one gave goes on where that one left it.
    """

    def carry(self, state: State | None, *, batch: int) -> Carried:
        """Begin at `state` (D·L, B, H), or at zeros; what was carried before for this B may end."""
        ...


def takes_lengths(adapter: type[Runtime]) -> bool:
    """Whether its `run` has the argument."""
    try:
        parameters = inspect.signature(adapter.run).parameters
    except (TypeError, ValueError):  # compiled: it does not say
        return True
    return "lengths" in parameters or any(p.kind is p.VAR_KEYWORD for p in parameters.values())
