"""What goes wrong while an environment is built - no index, a full disk, a kill - is one line and leaves nothing."""

import json
import os
import shutil
import signal
import subprocess
import sys
import tarfile
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from lstmbench import environments
from lstmbench.environments import build, modules, tool
from lstmbench.environments.wanted import Wanted
from lstmbench.errors import RuntimeMissingError

NOWHERE = "http://127.0.0.1:9/simple"  # the port that discards: nobody listens
FULL = """
import pathlib, sys
if sys.argv[1] == "venv":
    (pathlib.Path(sys.argv[-1]) / "bin").mkdir(parents=True)
    sys.exit()
sys.exit("error: Failed to install: engine.whl\\n  Caused by: No space left on device (os error 28)")
"""
KILLED = """
import time
from lstmbench.environments import build, tool
from lstmbench.environments.wanted import Wanted
from lstmbench.runtimes import catalogue, ours
catalogue.ENGINES["abacus"] = ours.Entry("engine_abroad:Engine", "engine_abroad", wheel="engine-abroad")
def half(folder, _asked):
    (folder / "bin").mkdir(parents=True)
    print("half", flush=True)
    time.sleep(600)
tool.build = half
build.install(Wanted("abacus", "1.0"), prove=lambda *_: "1.0", progress=lambda _line: None)
"""


def install():
    return build.install(Wanted("abacus", "1.0"), prove=lambda *_: "1.0", progress=lambda _: None)


def left():
    return sorted(path.name for path in environments.root().glob("*"))


def test_without_a_network_it_says_so(index, monkeypatch):
    pytest.importorskip("pip")
    told = {"PIP_INDEX_URL": NOWHERE, "PIP_RETRIES": "1", "PIP_FIND_LINKS": "", "PIP_NO_INDEX": "0"}
    for name, value in told.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(RuntimeMissingError, match="the package index cannot be reached, and engine-abroad==1"):
        install()
    assert left() == []


def test_a_full_disk_is_named(index, tmp_path, monkeypatch):
    program = tmp_path / "uv.py"
    program.write_text(FULL)
    monkeypatch.setattr(tool, "_uv", lambda: [sys.executable, str(program)])
    with pytest.raises(RuntimeMissingError, match=r"no space is left where environments are built: .*/environments"):
        install()
    assert left() == []


def test_a_build_that_is_killed_is_no_environment_and_the_next_one_sweeps_it(index, monkeypatch):
    path = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}
    with subprocess.Popen([sys.executable, "-c", KILLED], stdout=subprocess.PIPE, env=path) as running:
        assert running.stdout is not None
        assert running.stdout.readline() == b"half\n"
        running.send_signal(signal.SIGKILL)
    assert any(path.name.endswith(".tmp") for path in environments.root().iterdir()), "it left what it had"
    assert environments.find() == ()
    monkeypatch.setattr(tool, "build", lambda folder, _: (folder / "bin").mkdir(parents=True))
    monkeypatch.setattr(tool, "installed", lambda _: tool.Held("3.11", {"engine-abroad": "1.0"}))
    install()
    assert left() == ["engine-abroad-1.0"]
    assert not list(environments.root().glob(".*.tmp"))


@pytest.fixture
def registry(tmp_path, monkeypatch):
    """Of npm, with one version of one package."""
    if not shutil.which("npm"):
        pytest.skip("no npm here")
    packed = tmp_path / "engine.tgz"
    (tmp_path / "package.json").write_text(json.dumps({"name": "engine", "version": "1.2.3"}))
    with tarfile.open(packed, "w:gz") as archive:
        archive.add(tmp_path / "package.json", "package/package.json")

    class Registry(BaseHTTPRequestHandler):
        def do_GET(self):
            url = f"http://127.0.0.1:{self.server.server_port}"
            one = {"name": "engine", "version": "1.2.3", "dist": {"tarball": f"{url}/engine.tgz"}}
            told = json.dumps({"name": "engine", "dist-tags": {"latest": "1.2.3"}, "versions": {"1.2.3": one}}).encode()
            body = {"/engine": told, "/engine.tgz": packed.read_bytes()}.get(self.path)
            self.send_response(200 if body else 404)
            self.end_headers()
            self.wfile.write(body or b"{}")

        def log_message(self, *_):
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Registry) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        npm(monkeypatch, tmp_path, f"http://127.0.0.1:{server.server_port}/")
        yield tmp_path / "into"
        server.shutdown()


def npm(monkeypatch, folder: Path, url: str) -> None:
    """Tell npm of a registry, and of nothing else."""
    told = {"registry": url, "cache": str(folder / "npm"), "fetch_retries": "0", "update_notifier": "false"}
    for name, value in told.items():
        monkeypatch.setenv(f"npm_config_{name}", value)


def test_npm_takes_the_version_that_is_asked_for_and_says_which_there_is_none_of(registry):
    modules.add(registry, "engine", "1.2.3")
    assert modules.held(registry) == {"engine": "1.2.3"}
    with pytest.raises(RuntimeMissingError, match="npm's registry has no engine@9"):
        modules.add(registry, "engine", "9.9.9")
    with pytest.raises(RuntimeMissingError, match="npm's registry has no other"):
        modules.add(registry, "other")


@pytest.mark.skipif(not shutil.which("npm"), reason="no npm here")
def test_npm_without_a_network_says_so(tmp_path, monkeypatch):
    npm(monkeypatch, tmp_path, "http://127.0.0.1:9/")
    with pytest.raises(RuntimeMissingError, match=r"npm's registry cannot be reached, and engine@1\.2\.3"):
        modules.add(tmp_path / "into", "engine", "1.2.3")
