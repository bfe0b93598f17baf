"""OpenVINO's own runtime on the CPU, in float32; in bfloat16 under a name of its own."""

from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import openvino as ov

from lstmbench.arrays import Floats, Lengths, State, Tokens
from lstmbench.errors import WorkerError
from lstmbench.records import ExportedModel, Placement
from lstmbench.runtimes import load_probes, unchanged
from lstmbench.runtimes.openvino_graph import OpenVinoGraph, placed


class OpenVinoCpu:
    """Run the exported graph in one compiled model; refused where it drops the peepholes or freezes T."""

    version: str = version("openvino")
    provider: str = "CPU"
    precision: str = "f32"  # by default OpenVINO computes in bfloat16 where the CPU can

    def __init__(self, exported: ExportedModel, *, threads: int) -> None:
        self._config, self._lengths = exported.model, exported.record.lengths
        graph = _whole(exported)
        self._compiled = _compile(graph, threads, self.precision)
        self._demand_precision()
        load_probes.demand_lengths(exported, self._probed(self._compiled))
        if changed := load_probes.without_peepholes(graph):
            other = _compile(changed, threads, self.precision)
            load_probes.demand_peepholes(exported, self._probed(self._compiled), self._probed(other))

    @classmethod
    def graph(cls, path: Path, *, threads: int) -> OpenVinoGraph:
        """Load any ONNX file, by its own names."""
        return OpenVinoGraph(_compile(path, threads, cls.precision), version=cls.version)

    def run(
        self, inputs: Tokens | Floats, state: State | None, *, lengths: Lengths | None = None
    ) -> tuple[Floats, State]:
        """Tokens (B, T) -> logits (B, T, V), or x (B, T, E) -> y (B, T, D·H); and the next state (D·L, B, H)."""
        return self._call(self._compiled, inputs, state, lengths)

    def placement(self) -> tuple[Placement, ...]:
        """How many nodes of each kind the device runs, in its own words, and in which precision those that recur."""
        return placed(self._compiled)

    def close(self) -> None:
        """Forget the compiled model."""
        del self._compiled

    def _call(
        self, compiled: Any, inputs: Tokens | Floats, state: State | None, lengths: Lengths | None
    ) -> tuple[Floats, State]:
        shape = self._config.state_shape(len(inputs))
        h_0, c_0 = (np.zeros(shape, np.float32),) * 2 if state is None else state
        feeds: dict[str, Any] = {"input_ids" if self._config.head == "lm" else "x": inputs, "h_0": h_0, "c_0": c_0}
        if lengths is not None:
            feeds["lengths"] = lengths
        answer = compiled(feeds)
        output, h_n, c_n = (answer[name] for name in self._config.output_names)
        return output, State(h_n, c_n)

    def _probed(self, compiled: Any) -> load_probes.Run:
        """As the probes call it: where the export takes lengths, all rows are whole."""

        def run(inputs: Tokens | Floats, state: State) -> tuple[Floats, State]:
            ends = np.full(len(inputs), inputs.shape[1], np.int32) if self._lengths else None
            return self._call(compiled, inputs, state, ends)

        return run

    def _demand_precision(self) -> None:
        """WorkerError where it computes in another float; in bfloat16 what surrounds the products may be in float32."""
        ran = {part.precision for part in self.placement() if part.recurrent and part.precision}
        if ran & {"bfloat16", "float16"} if self.precision == "f32" else "bfloat16" not in ran:
            said = ", ".join(sorted(ran)) or "what it does not tell"
            raise WorkerError(f"asked OpenVINO for {self.precision}, it computes in {said}")


class OpenVinoCpuBf16(OpenVinoCpu):
    """The same in bfloat16: three digits fewer than float32."""

    precision = "bf16"


def _whole(exported: ExportedModel) -> bytes:
    graph = unchanged.onnx_bytes(exported)
    if exported.record.data is not None:
        raise WorkerError(f"openvino takes {exported.path.name} in one file alone: export without --external-data")
    if b"location" in graph:
        from lstmbench.runtimes import external

        external.demand_none(graph)
    return graph


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
