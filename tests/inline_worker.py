"""A worker without a process: the runtime runs here, and what it raises becomes what a child would report."""

from types import SimpleNamespace

from lstmbench.errors import LstmbenchError, WorkerError
from lstmbench.runtimes import load_graphs
from lstmbench.worker import WorkerInfo, named


class Inline:
    """In the place of `GraphWorker`."""

    def __init__(self, runtime, path, *, threads=1, timeout_s=300):
        self.runtime, self.timeout_s = runtime, timeout_s
        self.info = SimpleNamespace(device="")
        self.held = self._do(lambda: load_graphs(runtime).graph(path, threads=threads))
        told = {"placement": self.held.placement(), "provider": getattr(self.held, "provider", "")}
        self.info = WorkerInfo(version=self.held.version, code_sha256="", taken_s=0, load_s=0, **told)

    def run(self, inputs):
        asked = named.unpack(named.pack(inputs))
        return named.unpack(self._do(lambda: named.pack(self.held.run(asked))))

    def _do(self, what):
        try:
            return what()
        except LstmbenchError:
            raise
        except Exception as error:
            raise WorkerError(f"runtime {self.runtime!r} failed: {' '.join(str(error).split())}") from error

    def close(self):
        self.held.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()
