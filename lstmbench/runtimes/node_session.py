"""A graph in a process of Node.js, which is told over pipes of its own, never stdout."""

import contextlib
import os
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import IO, Any

from numpy.typing import NDArray

from lstmbench.errors import RuntimeMissingError, WorkerError
from lstmbench.records import Placement
from lstmbench.runtimes import tensors

_SCRIPT = Path(__file__).with_name("onnxruntime_node.mjs")
_CLOSING_S = 3.0


class NodeSession:
    """A graph with its own inputs and outputs; the script says how it is talked to."""

    def __init__(self, folder: Path, file: Path, *, threads: int, version: str) -> None:
        self.version = version
        (its_in, ours_out), (ours_in, its_out) = os.pipe(), os.pipe()
        self._to: IO[bytes] = os.fdopen(ours_out, "wb")
        self._from: IO[bytes] = os.fdopen(ours_in, "rb")
        command = ["node", str(_SCRIPT), str(folder), str(file), str(threads), str(its_in), str(its_out)]
        with contextlib.ExitStack() as opened:
            opened.callback(self._from.close)
            opened.callback(self._to.close)
            self._process = _start(command, its_in, its_out)
            opened.callback(self.close)
            self._answer()  # that it is loaded
            opened.pop_all()

    def run(self, inputs: Mapping[str, NDArray[Any]]) -> dict[str, NDArray[Any]]:
        """Compute all outputs."""
        try:
            self._to.write(tensors.encode(inputs))
            self._to.flush()
        except BrokenPipeError as error:
            raise WorkerError("Node.js has ended") from error
        return self._answer()

    def placement(self) -> tuple[Placement, ...]:
        """Its interface tells none; no provider but the CPU's is asked for."""
        return ()

    def close(self) -> None:
        """End the process: its input is at an end."""
        self._to.close()
        try:
            self._process.wait(_CLOSING_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._from.close()

    def _answer(self) -> dict[str, NDArray[Any]]:
        return tensors.decode(self._read, f"onnxruntime-node {self.version}")

    def _read(self, count: int) -> bytes:
        data = self._from.read(count)
        if len(data) < count:
            raise WorkerError(f"Node.js has ended with status {self._process.wait()}")
        return data


def demand_node() -> None:
    """RuntimeMissingError where there is none."""
    if shutil.which("node") is None:
        raise RuntimeMissingError("it needs Node.js: apt-get install nodejs")


def _start(command: list[str], *pipes: int) -> subprocess.Popen[bytes]:
    try:
        demand_node()
        return subprocess.Popen(command, pass_fds=pipes, stdin=subprocess.DEVNULL)
    finally:
        for pipe in pipes:
            os.close(pipe)
