"""A graph in a process of its own, by its own names: any ONNX file on a runtime that runs graphs."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from lstmbench.onnxfile.names import shown
from lstmbench.worker import named
from lstmbench.worker.messages import LoadGraph, Outputs, RunGraph, WorkerInfo
from lstmbench.worker.talk import Talk


class GraphWorker(Talk):
    """One runtime with one ONNX file; the parent blocks while it works.

    Errors are LstmbenchErrors in one line: RuntimeMissingError where the runtime is not here, WorkerError for what it
    reported, and CrashError, which is one too, where it could not: a crash, an exit, a kill, silence of more than
    `timeout_s`. After an error the worker is closed, unless the inputs were refused before they were sent.
    """

    def __init__(self, runtime: str, path: Path, *, threads: int = 1, timeout_s: float = 300) -> None:
        super().__init__(runtime, threads=threads, timeout_s=timeout_s)
        self.path = path
        load = LoadGraph(runtime=self.chosen.name, path=str(path.absolute()), threads=threads)
        self.info = self.ask(load, WorkerInfo, doing=f"loading {path.name}", timeout_s=timeout_s)
        self.demand_version(self.info.version)

    def run(self, inputs: Mapping[str, NDArray[Any]]) -> dict[str, NDArray[Any]]:
        """All inputs of the graph by name -> all outputs by name, of the types and shapes that the runtime gave them.

        Numbers of any type that NumPy has, and truth values. TypeError for other inputs.
        """
        request = RunGraph(inputs=named.pack(inputs))
        doing = f"running {self.path.name} ({', '.join(f'{shown(name)} {a.shape}' for name, a in inputs.items())})"
        return named.unpack(self.ask(request, Outputs, doing=doing, timeout_s=self.timeout_s).outputs)
