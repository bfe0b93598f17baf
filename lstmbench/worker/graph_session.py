"""The child's side of a graph: load it, run it, send back what came out."""

import time
from pathlib import Path

from lstmbench.runtimes import digest, load_graphs
from lstmbench.worker import memory, named
from lstmbench.worker.messages import LoadGraph, Outputs, Request, RunGraph, WorkerInfo


class GraphSession:
    """The runtime that this process holds, and the graph in it."""

    def __init__(self, request: LoadGraph) -> None:
        import onnx  # noqa: F401 (adapters read names and nodes with it: a third of a second that is not the engine's)

        self._taken_s = time.perf_counter()
        memory.limit()  # a graph may be anybody's
        self._adapter = load_graphs(request.runtime)
        self._held = self._adapter.graph(Path(request.path), threads=request.threads)
        memory.limit(getattr(self._held, "most_bytes", None))  # of what we evaluate ourselves
        self._load_s = time.perf_counter() - self._taken_s

    def info(self) -> WorkerInfo:
        """What the parent is told once the graph is ready."""
        return WorkerInfo(
            version=str(self._held.version),
            code_sha256=digest(self._adapter),
            taken_s=self._taken_s,
            load_s=self._load_s,
            placement=tuple(self._held.placement()),
            device=str(getattr(self._held, "device", "")),
            provider=str(getattr(self._held, "provider", "")),
        )

    def answer(self, request: Request) -> Outputs:
        """Run it once."""
        assert isinstance(request, RunGraph), request
        return Outputs(outputs=named.pack(self._held.run(named.unpack(request.inputs))))

    def close(self) -> None:
        """Release what the engine holds."""
        self._held.close()
