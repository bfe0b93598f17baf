"""A graph in a page of a headless Chromium, which asks a server on this machine for what it is to compute."""

import contextlib
import io
import queue
import tempfile
import threading
from collections.abc import Mapping, Sequence
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from lstmbench.errors import WorkerError
from lstmbench.records import Placement
from lstmbench.runtimes import chromium, tensors

_HERE = Path(__file__).parent
_PAGE = b'<!doctype html><script type="module" src="/onnxruntime_web.mjs"></script>'
_KINDS = {".mjs": "text/javascript", ".wasm": "application/wasm"}
_LOOK_S = 0.5
# threads of WebAssembly share memory, which a page may only where it is isolated
_ISOLATES = {"Cross-Origin-Opener-Policy": "same-origin", "Cross-Origin-Embedder-Policy": "require-corp"}
Arrays = dict[str, NDArray[Any]]


class WebSession:
    """A graph with its own inputs and outputs; `dist` holds onnxruntime-web as its package brings it.

    `provider`: in the words of its interface, `wasm` or `webgpu`; `options` are those of Chromium.
    """

    def __init__(
        self, dist: Path, graph: bytes, *, threads: int, version: str, provider: str, options: Sequence[str] = ()
    ) -> None:
        self.version = version
        self._questions = queue.SimpleQueue[bytes]()
        self._answers = queue.SimpleQueue[bytes]()
        with contextlib.ExitStack() as opened:
            self._server = opened.enter_context(_Server(dist, graph, self._questions, self._answers))
            opened.callback(self._server.shutdown)
            threading.Thread(target=self._server.serve_forever, daemon=True).start()
            profile = opened.enter_context(tempfile.TemporaryDirectory(ignore_cleanup_errors=True))
            page = f"http://127.0.0.1:{self._server.server_port}/?provider={provider}&threads={threads}"
            self._browser = chromium.start(profile, page, options)
            opened.callback(chromium.end, self._browser)
            self.loaded = self._answer()  # what there is to tell of it
            self._opened = opened.pop_all()

    def run(self, inputs: Mapping[str, NDArray[Any]]) -> Arrays:
        """Compute all outputs."""
        self._questions.put(tensors.encode(inputs))
        return self._answer()

    def profile(self, inputs: Mapping[str, NDArray[Any]]) -> str:
        """What ONNX Runtime writes of each node that ran, a JSON object a line, in a session of its own."""
        self._questions.put(tensors.encode(inputs, profiled=True))
        return self._answer()["profile"].tobytes().decode()

    def placement(self) -> tuple[Placement, ...]:
        """Its interface tells none; no provider but that of WebAssembly is asked for."""
        return ()

    def close(self) -> None:
        """End the page, the browser and the server."""
        self._questions.put(b"")
        self._opened.close()

    def _answer(self) -> Arrays:
        while True:
            with contextlib.suppress(queue.Empty):
                answer = self._answers.get(timeout=_LOOK_S)
                return tensors.decode(io.BytesIO(answer).read, f"onnxruntime-web {self.version}")
            if self._browser.poll() is not None:
                raise WorkerError(f"Chromium has ended with status {self._browser.returncode}")


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(
        self, dist: Path, graph: bytes, questions: queue.SimpleQueue[bytes], answers: queue.SimpleQueue[bytes]
    ) -> None:
        self.files = {f"/dist/{path.name}": path for path in dist.glob("ort*")}
        self.files |= {f"/{name}": _HERE / name for name in ("onnxruntime_web.mjs", "tensors.mjs")}
        self.graph, self.questions, self.answers = graph, questions, answers
        super().__init__(("127.0.0.1", 0), _Handler)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"  # one connection for all calls
    disable_nagle_algorithm = True
    wbufsize = -1
    server: _Server

    def do_GET(self) -> None:
        path = self.path.partition("?")[0]
        if path == "/question":
            self._give(self.server.questions.get())
        elif path == "/graph":
            self._give(self.server.graph)
        elif path == "/":
            self._give(_PAGE, "text/html")
        elif found := self.server.files.get(path):
            self._give(found.read_bytes(), _KINDS.get(found.suffix, "application/octet-stream"))
        else:
            self.send_error(404)

    def do_POST(self) -> None:
        self.server.answers.put(self.rfile.read(int(self.headers["Content-Length"])))
        self._give(b"")

    def _give(self, body: bytes, kind: str = "application/octet-stream") -> None:
        self.send_response(200)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        for name, value in _ISOLATES.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)
        self.wfile.flush()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 (the standard library's name)
        """Say nothing of each call."""
