"""MNN on the CPU, whose converter refuses the LSTM operator with P; probed, and not measured.

The converter ends with exit status 0 where it fails, so what tells is the file that it leaves, or does not. Its own
program, mnnconvert, is never called: it installs another package and sends a log of its use to its makers.
"""

import re
import signal
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from importlib.metadata import version
from pathlib import Path
from typing import Any, Self

import MNN
import numpy as np
import onnx
from MNN import expr
from numpy.typing import NDArray

from lstmbench.errors import CrashError, WorkerError
from lstmbench.records import Placement

_CONVERT = "import sys, _tools; _tools.mnnconvert(sys.argv)"
_NOISE = re.compile(r"^\[[0-9:]+\] \S*:[0-9]+: ")  # when and where in its own source
_SAYS_WHY = re.compile(r"not support|failed", re.IGNORECASE)
_TYPES = {"float32": expr.float, "float64": expr.double, "int32": expr.int, "int64": expr.int64, "uint8": expr.uint8}


class MnnCpu:
    """A graph that was converted to MNN's own format."""

    version: str = version("MNN")

    def __init__(self, path: Path, *, threads: int) -> None:
        # a module knows inputs and outputs by the names that it is loaded with
        graph = onnx.load(path, load_external_data=False).graph
        self._inputs = [value.name for value in graph.input]
        self._outputs = [value.name for value in graph.output]
        with tempfile.TemporaryDirectory() as folder:
            written = Path(folder) / "graph.mnn"
            self._convert(path, written)
            manager = MNN.nn.create_runtime_manager(({"backend": "CPU", "numThread": threads, "precision": "high"},))
            self._net = MNN.nn.load_module_from_file(str(written), self._inputs, self._outputs, runtime_manager=manager)

    @classmethod
    def graph(cls, path: Path, *, threads: int) -> Self:
        """Load any ONNX file, by its own names."""
        return cls(path, threads=threads)

    def run(self, inputs: Mapping[str, NDArray[Any]]) -> dict[str, NDArray[Any]]:
        """Compute all outputs."""
        answers = self._net.forward([self._taken(name, inputs[name]) for name in self._inputs])
        if len(answers) != len(self._outputs):
            raise WorkerError(
                f"mnn {self.version} cannot run it: it gives {len(answers)} of {len(self._outputs)} outputs"
            )
        return {name: np.array(one.read()) for name, one in zip(self._outputs, answers, strict=True)}

    def placement(self) -> tuple[Placement, ...]:
        """It tells none."""
        return ()

    def close(self) -> None:
        """Forget the module."""
        del self._net

    def _taken(self, name: str, value: NDArray[Any]) -> Any:
        if value.dtype.name not in _TYPES:
            raise WorkerError(f"mnn {self.version} cannot run it: it has no type {value.dtype} for {name}")
        return expr.const(value, list(value.shape), expr.NCHW, _TYPES[value.dtype.name])

    def _convert(self, path: Path, to: Path) -> None:
        asked = ["-f", "ONNX", "--modelFile", str(path), "--MNNModel", str(to)]
        command = [sys.executable, "-I", "-c", _CONVERT, *asked]
        done = subprocess.run(command, capture_output=True, text=True, errors="replace", check=False)
        who, said = f"the converter of mnn {self.version}", _why(done.stdout + done.stderr)
        if done.returncode < 0:
            raise CrashError(f"{who} ends by {signal.Signals(-done.returncode).name}: {said}")
        if done.returncode or not to.is_file():
            raise WorkerError(f"{who} fails with exit status {done.returncode}: {said}")


def _why(written: str) -> str:
    lines = [_NOISE.sub("", line).strip() for line in written.splitlines()]
    return next(filter(_SAYS_WHY.search, lines), "it does not say why")
