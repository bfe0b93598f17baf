"""ONNX Runtime in WebAssembly, in a page of Chromium; the times of calls hold the way there and back."""

import sys
from pathlib import Path

from lstmbench.records import ExportedModel
from lstmbench.runtimes import chromium, node_modules
from lstmbench.runtimes.named_export import NamedExport
from lstmbench.runtimes.web_session import WebSession

_OPTIONS = ("--disable-gpu",)


class OnnxRuntimeWebWasm(NamedExport):
    """Run the exported graph."""

    version: str = node_modules.version("onnxruntime-web")

    def __init__(self, exported: ExportedModel, *, threads: int) -> None:
        super().__init__(exported, lambda graph: self._load(graph, threads))

    @classmethod
    def graph(cls, path: Path, *, threads: int) -> WebSession:
        """Load any ONNX file, by its own names; one that keeps tensors beside itself is refused by the engine."""
        return cls._load(path.read_bytes(), threads)

    @classmethod
    def ready(cls) -> str:
        """Empty: it computes on what its name says; RuntimeMissingError where there is no Chromium."""
        chromium.program()
        return ""

    @classmethod
    def _load(cls, graph: bytes, threads: int) -> WebSession:
        return WebSession(dist(), graph, threads=threads, version=cls.version, provider="wasm", options=_OPTIONS)


def dist() -> Path:
    """What the package of npm brings, in this environment."""
    return Path(sys.prefix) / "node_modules" / "onnxruntime-web" / "dist"
