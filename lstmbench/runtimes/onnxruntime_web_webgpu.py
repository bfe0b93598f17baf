"""ONNX Runtime's WebGPU provider in a page of Chromium: on a GPU, or on an adapter in software, and then it says so."""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from lstmbench.errors import WorkerError
from lstmbench.records import MOVES, ExportedModel, Placement
from lstmbench.runtimes import assignment, chromium, node_modules, profile, vulkan
from lstmbench.runtimes.named_export import NamedExport
from lstmbench.runtimes.onnxruntime_web import dist
from lstmbench.runtimes.web_session import WebSession

_PROVIDER = "WebGpuExecutionProvider"
_SOFTWARE = "software adapter"
_GPU = ("--enable-unsafe-webgpu", "--enable-features=Vulkan")  # off by default on Linux
_SWIFTSHADER = ("--enable-unsafe-webgpu", "--use-webgpu-adapter=swiftshader")


class OnnxRuntimeWebWebgpu(NamedExport):
    """Run the exported graph; where its nodes ran is read from the profile of one call."""

    version: str = node_modules.version("onnxruntime-web")
    provider = _PROVIDER

    def __init__(self, exported: ExportedModel, *, threads: int) -> None:
        super().__init__(exported, lambda graph: _load(graph, threads, self.version))
        session: Any = self._session
        self.device = device(session.loaded)
        # in which float a float16 node computes is not told
        ran_in: dict[str, str] | None = {} if exported.record.precision == "fp16" else None
        self._placed = assignment.counted(nodes(session.profile(profile.smallest_call(exported))), ran_in)

    @classmethod
    def graph(cls, path: Path, *, threads: int) -> "WebgpuGraph":
        """Load any ONNX file, by its own names; one that keeps tensors beside itself is refused by the engine."""
        return WebgpuGraph(_load(path.read_bytes(), threads, cls.version))

    @classmethod
    def ready(cls) -> str:
        """'software adapter' where Vulkan knows no GPU; RuntimeMissingError where there is no Chromium."""
        chromium.program()
        return "" if _has_gpu() else _SOFTWARE

    def placement(self) -> tuple[Placement, ...]:
        """How many nodes of each kind ran, and on which provider."""
        return self._placed


class WebgpuGraph:
    """Any graph: WorkerError at its first call where what computes ran elsewhere than on WebGPU."""

    def __init__(self, session: WebSession) -> None:
        self._session, self._placed = session, tuple[Placement, ...]()
        self.version, self.provider, self.device = session.version, _PROVIDER, device(session.loaded)

    def run(self, inputs: Mapping[str, NDArray[Any]]) -> dict[str, NDArray[Any]]:
        """Compute all outputs."""
        if not self._placed:
            self._placed = assignment.counted(nodes(self._session.profile(inputs)))
            elsewhere = {part.operator for part in self._placed if part.provider != _PROVIDER} - MOVES
            if elsewhere:
                raise WorkerError(f"{', '.join(sorted(elsewhere))} ran on the CPU, not on {_PROVIDER}")
        return self._session.run(inputs)

    def placement(self) -> tuple[Placement, ...]:
        """Where the nodes of the first call ran; () before it."""
        return self._placed

    def close(self) -> None:
        """End the page and the browser."""
        self._session.close()


def nodes(written: str) -> Iterator[assignment.Node]:
    """Each node of a profile, as it is written to the console, a line an entry."""
    found = profile.nodes(json.loads(line.rstrip().removesuffix(",")) for line in written.splitlines())
    return (assignment.Node(*one) for one in found)


def device(loaded: Mapping[str, NDArray[Any]]) -> str:
    """'software adapter' or nothing, by what the device says that ONNX Runtime took; WorkerError where none is told."""
    if "device" not in loaded:
        raise WorkerError("onnxruntime-web tells of no WebGPU device that it took")
    is_fallback, architecture = json.loads(loaded["device"].tobytes())
    return _SOFTWARE if is_fallback or architecture == "swiftshader" else ""


def _has_gpu() -> bool:
    return any(not one.is_software for one in vulkan.devices())


def _load(graph: bytes, threads: int, version: str) -> WebSession:
    options = _GPU if _has_gpu() else _SWIFTSHADER
    return WebSession(dist(), graph, threads=threads, version=version, provider="webgpu", options=options)
