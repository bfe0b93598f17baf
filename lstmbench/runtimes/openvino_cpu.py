"""OpenVINO's own runtime on the CPU, in float32; in bfloat16 under a name of its own."""

from importlib.metadata import version
from pathlib import Path
from typing import Any

import openvino as ov

from lstmbench.errors import WorkerError
from lstmbench.records import ExportedModel
from lstmbench.runtimes.named_export import NamedExport
from lstmbench.runtimes.openvino_graph import OpenVinoGraph


class OpenVinoCpu(NamedExport):
    """Run the exported graph in one compiled model."""

    version: str = version("openvino")
    provider: str = "CPU"
    precision: str = "f32"  # by default OpenVINO computes in bfloat16 where the CPU can

    def __init__(self, exported: ExportedModel, *, threads: int) -> None:
        super().__init__(exported, lambda graph: self._load(graph, threads))
        self._demand_precision()

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
