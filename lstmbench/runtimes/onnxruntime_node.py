"""ONNX Runtime in Node.js, on the CPU; every call goes to its process and back, and its times hold that way."""

import sys
import tempfile
from pathlib import Path

from lstmbench.records import ExportedModel
from lstmbench.runtimes import node_modules
from lstmbench.runtimes.named_export import NamedExport
from lstmbench.runtimes.node_session import NodeSession, demand_node

_FOLDER = Path(sys.prefix)  # of the environment: npm put its modules beside those of Python


class OnnxRuntimeNode(NamedExport):
    """Run the exported graph."""

    version: str = node_modules.version("onnxruntime-node")

    def __init__(self, exported: ExportedModel, *, threads: int) -> None:
        super().__init__(exported, lambda graph: _held(graph, threads))

    @classmethod
    def graph(cls, path: Path, *, threads: int) -> NodeSession:
        """Load any ONNX file, by its own names."""
        return NodeSession(_FOLDER, path, threads=threads, version=cls.version)

    @classmethod
    def ready(cls) -> str:
        """Empty: it computes on what its name says; RuntimeMissingError where there is no Node.js."""
        demand_node()
        return ""


def _held(graph: bytes, threads: int) -> NodeSession:
    """It is handed a file of our own: what was seen to be unchanged."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "export.onnx"
        path.write_bytes(graph)
        return NodeSession(_FOLDER, path, threads=threads, version=OnnxRuntimeNode.version)
