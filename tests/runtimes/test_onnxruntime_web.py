"""How a page of Chromium is talked to, with an engine of tests; and the real one where its environment is at hand."""

import json
import sys

import numpy as np
import pytest

from lstmbench import environments
from lstmbench.conformance import promises
from lstmbench.errors import RuntimeMissingError, WorkerError
from lstmbench.runtimes import chromium, node_modules, web_session
from lstmbench.runtimes.web_session import WebSession

ENGINE = """
export class Tensor { constructor(type, data, dims) { Object.assign(this, { type, data, dims }) } }
export const env = { wasm: {} };
export const InferenceSession = { async create(graph, options) {
  if (graph.byteLength == 3) throw new Error("no such\\noperator");
  const threads = () => new Tensor("int32", Int32Array.of(env.wasm.numThreads, crossOriginIsolated), [2]);
  return { run: async (feeds) => ({ ...feeds, threads: threads() }) };
} };
"""


@pytest.fixture
def dist(tmp_path):
    try:
        chromium.program()
    except RuntimeMissingError as error:
        pytest.skip(str(error))
    (tmp_path / "ort.wasm.min.mjs").write_text(ENGINE)
    return tmp_path


@pytest.mark.slow
def test_arrays_come_back_as_they_were_sent(dist):
    session = WebSession(dist, b"good", threads=2, version="1", provider="wasm")
    sent = {"x": np.arange(6, dtype=np.float32).reshape(2, 3).T, "ids": np.array([[2**40, -1]])}
    for _ in range(2):
        got = session.run(sent)
        assert got.pop("threads").tolist() == [2, 1], "a page that is not isolated has one thread"
        assert all(np.array_equal(got[name], array) and got[name].dtype == array.dtype for name, array in sent.items())
    assert session.placement() == ()
    session._browser.kill()
    session._browser.wait()
    with pytest.raises(WorkerError, match="Chromium has ended with status -9"):
        session.run(sent)
    session.close()


@pytest.mark.slow
def test_what_does_not_load_is_one_line(dist):
    with pytest.raises(WorkerError, match="onnxruntime-web 1: no such operator"):
        WebSession(dist, b"bad", threads=1, version="1", provider="wasm")


@pytest.mark.slow
def test_a_page_that_could_have_one_thread_alone_is_refused_two(dist, monkeypatch):
    monkeypatch.setattr(web_session, "_ISOLATES", {})
    with pytest.raises(WorkerError, match="the page is not isolated: it has one thread"):
        WebSession(dist, b"good", threads=2, version="1", provider="wasm")
    WebSession(dist, b"good", threads=1, version="1", provider="wasm").close()


def test_without_chromium_one_line_says_what_to_install(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(RuntimeMissingError, match="it needs Chromium: apt-get install"):
        chromium.program()


def test_the_version_is_that_of_the_environments_package(tmp_path, monkeypatch):
    monkeypatch.setattr(sys, "prefix", str(tmp_path))
    with pytest.raises(RuntimeMissingError, match="this Python has no engine beside it"):
        node_modules.version("engine")
    (tmp_path / "node_modules" / "engine").mkdir(parents=True)
    (tmp_path / "node_modules" / "engine" / "package.json").write_text(json.dumps({"version": "1.2"}))
    assert node_modules.version("engine") == "1.2"


@pytest.mark.slow
def test_the_real_one_is_right_where_it_is_at_hand(tmp_path):
    pytest.importorskip("onnxruntime")  # what an export is proved with
    try:
        environments.choose("onnxruntime-web-wasm")
    except RuntimeMissingError as error:
        pytest.skip(str(error))
    from lstmbench.flows.conform import _subject

    assert not promises.state(_subject(tmp_path, "onnxruntime-web-wasm", "scan", 60))
