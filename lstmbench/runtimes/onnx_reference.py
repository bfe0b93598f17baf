"""The reference evaluator of the onnx package: graphs alone, in the types that they name.

It ignores `sequence_lens`, `clip`, `input_forget` and `activations` of an LSTM without a word, so it is a runtime to be
judged like any other, and no oracle.
"""

from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any, Self

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx.reference import ReferenceEvaluator

from lstmbench.arrays import Floats, Lengths, State, Tokens
from lstmbench.errors import WorkerError
from lstmbench.records import ExportedModel, Placement
from lstmbench.runtimes.held_call import HeldCall
from lstmbench.runtimes.named_export import NamedExport


class OnnxReferenceGraph:
    """One graph, node after node in NumPy."""

    version: str = onnx.__version__

    def __init__(self, graph: Path | bytes) -> None:
        self._evaluator = ReferenceEvaluator(graph if isinstance(graph, bytes) else str(graph))

    @classmethod
    def graph(cls, path: Path, *, threads: int) -> Self:
        """Load a file; the BLAS under NumPy reads `threads` from the environment, which the worker sets."""
        del threads
        return cls(path)

    def run(self, inputs: Mapping[str, NDArray[Any]]) -> dict[str, NDArray[Any]]:
        """Compute all outputs."""
        outputs = self._evaluator.run(None, dict(inputs))
        # some operators give NumPy's numbers where the graph has an array of no axes
        arrays = (np.asarray(value) if isinstance(value, np.generic) else value for value in outputs)
        return dict(zip(self._evaluator.output_names, arrays, strict=True))

    def placement(self) -> tuple[Placement, ...]:
        """NumPy has no providers."""
        return ()

    def close(self) -> None:
        """Forget the graph."""
        del self._evaluator


class OnnxReference(NamedExport):
    """Run the exported graph; by name alone, since it takes milliseconds a step."""

    version: str = onnx.__version__

    def __init__(self, exported: ExportedModel, *, threads: int) -> None:
        del threads  # as below
        super().__init__(exported, _held)

    def hold(
        self, inputs: Tokens | Floats, state: State | None, *, lengths: Lengths | None = None
    ) -> HeldCall[dict[str, NDArray[Any]]]:
        """The same call; there is nothing to copy."""
        return HeldCall(partial(self._session.run, self.feeds(inputs, state, lengths)), told=self.answer)

    @classmethod
    def graph(cls, path: Path, *, threads: int) -> OnnxReferenceGraph:
        """Load any ONNX file, by its own names."""
        return OnnxReferenceGraph.graph(path, threads=threads)


def _held(graph: bytes) -> OnnxReferenceGraph:
    try:
        return OnnxReferenceGraph(graph)
    except Exception as error:  # whatever an operator raises that it does not know
        raise WorkerError(f"onnx {onnx.__version__} cannot load it: {' '.join(str(error).split())}") from error
