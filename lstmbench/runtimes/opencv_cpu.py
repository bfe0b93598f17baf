"""OpenCV's own networks on the CPU, which take P in another order than ONNX; probed, and not measured."""

from collections.abc import Mapping
from importlib.metadata import version
from pathlib import Path
from typing import Any, Self

import cv2
import numpy as np
import onnx
from numpy.typing import NDArray

from lstmbench.errors import WorkerError
from lstmbench.records import Placement


class OpenCvCpu:
    """A graph in `cv2.dnn`, in the engine that it takes by default."""

    version: str = version("opencv-python-headless")

    def __init__(self, path: Path) -> None:
        self._outputs = [value.name for value in onnx.load(path, load_external_data=False).graph.output]
        try:
            self._net = cv2.dnn.readNetFromONNX(str(path))
        except cv2.error as error:
            raise WorkerError(f"opencv {self.version} cannot load it: {_said(error)}") from error

    @classmethod
    def graph(cls, path: Path, *, threads: int) -> Self:
        """Load any ONNX file, by its own names."""
        cv2.setNumThreads(threads)
        return cls(path)

    def run(self, inputs: Mapping[str, NDArray[Any]]) -> dict[str, NDArray[Any]]:
        """Compute all outputs."""
        try:
            for name, value in inputs.items():
                self._net.setInput(value, name)
            answers = self._net.forward(self._outputs)
        except cv2.error as error:
            raise WorkerError(f"opencv {self.version} cannot run it: {_said(error)}") from error
        return {name: np.asarray(value) for name, value in zip(self._outputs, answers, strict=True)}

    def placement(self) -> tuple[Placement, ...]:
        """It tells none."""
        return ()

    def close(self) -> None:
        """Forget the network."""
        del self._net


def _said(error: Exception) -> str:
    """What it says, without the place in its own source that is named in front."""
    return " ".join(str(error).split()).rpartition("error: ")[2]
