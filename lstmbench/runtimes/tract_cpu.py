"""tract on the CPU: an engine in Rust, of one thread."""

import tempfile
from collections.abc import Mapping, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any, cast

import onnx
import tract
from numpy.typing import NDArray

from lstmbench.arrays import Floats, Lengths, State, Tokens
from lstmbench.errors import WorkerError
from lstmbench.records import ExportedModel, Placement
from lstmbench.runtimes.named_export import NamedExport


class TractGraph:
    """A graph with its own inputs and outputs; tract runs it on one thread, however many it may use."""

    version: str = version("tract")

    def __init__(self, path: Path) -> None:
        # tract names an output by the node that gives it
        self._outputs = [output.name for output in onnx.load(path, load_external_data=False).graph.output]
        try:
            model = tract.onnx().load(path)
            self._inputs = [model.input_name(n) for n in range(model.input_count())]
            self._runnable = model.into_model().into_runnable()
        except tract.TractError as error:
            raise WorkerError(f"tract {self.version} cannot load it: {_said(error)}") from error

    def run(self, inputs: Mapping[str, NDArray[Any]]) -> dict[str, NDArray[Any]]:
        """Compute all outputs."""
        return self.arrays(self.compute([inputs[name] for name in self._inputs]))

    def tensors(self, inputs: Mapping[str, NDArray[Any]]) -> list[tract.Tensor]:
        """Tensors of its own, in the order of the graph's inputs."""
        return [tract.Tensor.from_numpy(inputs[name]) for name in self._inputs]

    def compute(self, tensors: Sequence[Any]) -> list[tract.Tensor]:
        """Outputs in the order of the graph's."""
        try:
            answer: list[tract.Tensor] = self._runnable.run(list(tensors))
        except tract.TractError as error:
            raise WorkerError(f"tract {self.version} cannot run it: {_said(error)}") from error
        return answer

    def arrays(self, answer: Sequence[tract.Tensor]) -> dict[str, NDArray[Any]]:
        """Outputs by name."""
        return {name: tensor.to_numpy() for name, tensor in zip(self._outputs, answer, strict=True)}

    def placement(self) -> tuple[Placement, ...]:
        """It has no providers."""
        return ()

    def close(self) -> None:
        """Forget the graph."""
        del self._runnable


class _Held:
    """A call on tensors of its own."""

    def __init__(self, export: NamedExport, graph: TractGraph, tensors: Sequence[tract.Tensor]) -> None:
        self._export, self._graph, self._tensors = export, graph, tensors

    def compute(self) -> None:
        """Run; it has finished when it returns."""
        self._answer = self._graph.compute(self._tensors)

    def answer(self) -> tuple[Floats, State]:
        """Of the last call."""
        return self._export.answer(self._graph.arrays(self._answer))


class TractCpu(NamedExport):
    """Run the exported graph."""

    version: str = version("tract")

    def __init__(self, exported: ExportedModel, *, threads: int) -> None:
        del threads  # it has one
        super().__init__(exported, _graph)

    def hold(self, inputs: Tokens | Floats, state: State | None, *, lengths: Lengths | None = None) -> _Held:
        """The same call on its own tensors."""
        graph = cast("TractGraph", self._session)
        return _Held(self, graph, graph.tensors(self.feeds(inputs, state, lengths)))

    @classmethod
    def graph(cls, path: Path, *, threads: int) -> TractGraph:
        """Load any ONNX file, by its own names."""
        del threads
        return TractGraph(path)


def _graph(graph: bytes) -> TractGraph:
    """It loads files alone: what was seen to be unchanged is handed to it in one of our own."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "export.onnx"
        path.write_bytes(graph)
        return TractGraph(path)


def _said(error: Exception) -> str:
    """What it says in front of the stack of its own calls."""
    return " ".join(str(error).partition("Stack backtrace:")[0].split())
