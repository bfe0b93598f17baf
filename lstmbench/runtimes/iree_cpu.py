"""IREE on the CPU: a compiler, which drops the peepholes of the LSTM operator; probed, and not measured."""

import re
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from importlib.metadata import version
from pathlib import Path
from typing import Any, Self

import numpy as np
import onnx
from iree import compiler
from iree import runtime as engine
from numpy.typing import NDArray

from lstmbench.errors import WorkerError
from lstmbench.records import Placement


class IreeCpu:
    """A graph, compiled for this very CPU and run on one thread."""

    version: str = version("iree-base-compiler")

    def __init__(self, path: Path) -> None:
        # a compiled function knows no names: inputs and outputs stand in the order of the file
        graph = onnx.load(path, load_external_data=False).graph
        self._inputs = [value.name for value in graph.input]
        self._outputs = [value.name for value in graph.output]
        context = engine.SystemContext(config=engine.Config("local-sync"))
        module = engine.VmModule.copy_buffer(context.instance, self._compiled(path))
        context.add_vm_module(module)
        (name,) = (name for name in module.function_names if not name.startswith("__") and "$" not in name)
        self._function = context.modules[module.name][name]

    @classmethod
    def graph(cls, path: Path, *, threads: int) -> Self:
        """Load any ONNX file, by its own names."""
        del threads
        return cls(path)

    def run(self, inputs: Mapping[str, NDArray[Any]]) -> dict[str, NDArray[Any]]:
        """Compute all outputs."""
        answer = self._function(*(inputs[name] for name in self._inputs))
        answers = answer if isinstance(answer, tuple | list) else (answer,)
        return {name: np.asarray(one.to_host()) for name, one in zip(self._outputs, answers, strict=True)}

    def placement(self) -> tuple[Placement, ...]:
        """It has no providers."""
        return ()

    def close(self) -> None:
        """Forget the compiled function."""
        del self._function

    def _compiled(self, path: Path) -> bytes:
        with tempfile.TemporaryDirectory() as folder:
            written = Path(folder) / "graph.mlir"
            # its importer is a program
            command = [sys.executable, "-I", "-m", "iree.compiler.tools.import_onnx", str(path), "-o", str(written)]
            done = subprocess.run(command, capture_output=True, text=True, errors="replace", check=False)
            if done.returncode:
                raise WorkerError(f"iree {self.version} cannot import it: {_last(done.stderr)}")
            try:
                target = {"target_backends": ["llvm-cpu"], "extra_args": ["--iree-llvmcpu-target-cpu=host"]}
                built: bytes = compiler.compile_file(str(written), input_type="onnx", **target)
            except compiler.CompilerToolError as error:
                raise WorkerError(f"iree {self.version} cannot compile it: {_first(str(error))}") from error
        return built


def _last(written: str) -> str:
    """What a program that is written in Python says last."""
    return next((line.strip() for line in reversed(written.splitlines()) if line.strip()), "it does not say why")


def _first(written: str) -> str:
    """The compiler's first error, and which ONNX operator it is about; values and files are named anew each time."""
    errors = written.partition("error: ")[2] or " ".join(written.split())
    operator = re.search(r'"(onnx\.\w+)"', errors)
    return errors.splitlines()[0].partition(": ")[0] + (f": {operator[1]}" if operator else "")
