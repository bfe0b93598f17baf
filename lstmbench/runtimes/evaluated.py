"""The float64 evaluation of a graph in a process of its own: a hostile file can take its time and memory, not ours.

It is no runtime that anybody asks for by name, but what the answers of others are held to.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Self

import numpy as np
import onnx
from numpy.typing import NDArray

from lstmbench.parity.graphs import Evaluation, GraphBound
from lstmbench.records import Placement

Array = NDArray[Any]
_MOST_BYTES, _TIMES = 4 * 2**30, 16  # that evaluating may take: so many, and so many times the weights
_WANT, _ERROR, _WALK = "want ", "float32 error of ", "walk of "


class Evaluated:
    """Gives three arrays for each output: what it must be, the error of float32, what roundings add up to."""

    version: str = onnx.__version__

    def __init__(self, path: Path) -> None:
        model = onnx.load(path)
        self._bound = GraphBound(model)
        self.most_bytes = _MOST_BYTES + _TIMES * model.ByteSize()

    @classmethod
    def graph(cls, path: Path, *, threads: int) -> Self:
        """Load a file; the BLAS under NumPy reads `threads` from the environment, which the worker sets."""
        del threads
        return cls(path)

    def run(self, inputs: Mapping[str, Array]) -> dict[str, Array]:
        """Evaluate at these inputs; `evaluations` reads the answer."""
        answer: dict[str, Array] = {}
        for name, one in self._bound.evaluate(inputs).items():
            answer[_WANT + name], answer[_ERROR + name] = one.want, one.error
            answer[_WALK + name] = np.array(one.walk)
        return answer

    def placement(self) -> tuple[Placement, ...]:
        """NumPy has no providers."""
        return ()

    def close(self) -> None:
        """Forget the graph."""
        del self._bound


def evaluations(answer: Mapping[str, Array]) -> dict[str, Evaluation]:
    """What `Evaluated` answered, an output at a time."""
    names = [name.removeprefix(_WANT) for name in answer if name.startswith(_WANT)]
    return {
        name: Evaluation(answer[_WANT + name], answer[_ERROR + name], answer[_WALK + name].item()) for name in names
    }
