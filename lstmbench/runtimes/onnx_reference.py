"""The reference evaluator of the onnx package: graphs alone, in the types that they name.

It ignores `sequence_lens`, `clip`, `input_forget` and `activations` of an LSTM without a word, so it is a runtime to be
judged like any other, and no oracle.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Self

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx.reference import ReferenceEvaluator

from lstmbench.records import Placement


class OnnxReference:
    """One graph, node after node in NumPy."""

    version: str = onnx.__version__

    def __init__(self, path: Path) -> None:
        self._evaluator = ReferenceEvaluator(str(path))

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
