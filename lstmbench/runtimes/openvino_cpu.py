"""OpenVINO's own runtime on the CPU, in float32; in bfloat16 under a name of its own."""

from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any, cast

import openvino as ov

from lstmbench.arrays import Floats, Lengths, State, Tokens
from lstmbench.errors import WorkerError
from lstmbench.records import ExportedModel
from lstmbench.runtimes.named_export import NamedExport
from lstmbench.runtimes.openvino_graph import OpenVinoGraph


class _Held:
    """One request, its inputs in place, into outputs of its own."""

    def __init__(self, export: NamedExport, request: Any, names: Sequence[str], inputs: object) -> None:
        self._export, self._request, self._names = export, request, names
        self._inputs = inputs  # whose memory the request shares

    def compute(self) -> None:
        """Infer; on the CPU it has finished when it returns."""
        self._request.infer()

    def answer(self) -> tuple[Floats, State]:
        """Copies of the outputs."""
        return self._export.answer({name: self._request.get_tensor(name).data.copy() for name in self._names})


class OpenVinoCpu(NamedExport):
    """Run the exported graph in one compiled model."""

    version: str = version("openvino")
    provider: str = "CPU"
    precision: str = "f32"  # by default OpenVINO computes in bfloat16 where the CPU can

    def __init__(self, exported: ExportedModel, *, threads: int) -> None:
        super().__init__(exported, lambda graph: self._load(graph, threads))
        self._demand_precision()

    def hold(self, inputs: Tokens | Floats, state: State | None, *, lengths: Lengths | None = None) -> _Held:
        """The same call as a request."""
        feeds = self.feeds(inputs, state, lengths)
        request = cast("OpenVinoGraph", self._session).request(
            {name: ov.Tensor(array, shared_memory=True) for name, array in feeds.items()}
        )
        return _Held(self, request, self._config.output_names, feeds)

    @classmethod
    def graph(cls, path: Path, *, threads: int) -> OpenVinoGraph:
        """Load any ONNX file, by its own names."""
        return cls._load(path, threads)

    @classmethod
    def _load(cls, graph: bytes | Path, threads: int) -> OpenVinoGraph:
        return OpenVinoGraph(_compile(graph, threads, cls.precision), version=cls.version)

    def _demand_precision(self) -> None:
        """WorkerError where it computes in another float; in bfloat16 what surrounds the products may be in float32."""
        ran = {part.precision for part in self.placement() if part.recurrent and part.precision}
        if ran & {"bfloat16", "float16"} if self.precision == "f32" else "bfloat16" not in ran:
            said = ", ".join(sorted(ran)) or "what it does not tell"
            raise WorkerError(f"asked OpenVINO for {self.precision}, it computes in {said}")


class OpenVinoCpuBf16(OpenVinoCpu):
    """The same in bfloat16: three digits fewer than float32."""

    precision = "bf16"


def _compile(graph: bytes | Path, threads: int, precision: str) -> Any:
    options = {
        "INFERENCE_PRECISION_HINT": precision,
        "INFERENCE_NUM_THREADS": threads,
        "NUM_STREAMS": 1,
        "PERFORMANCE_HINT": "LATENCY",
    }
    core = ov.Core()
    try:
        return core.compile_model(core.read_model(graph), "CPU", options)
    except Exception as error:  # its errors share no base class but this one
        raise WorkerError(f"openvino {version('openvino')} cannot load it: {' '.join(str(error).split())}") from error
