"""What a page tells of its device and of where nodes ran, and the real one where its environment is at hand."""

import json

import numpy as np
import pytest

from lstmbench import environments
from lstmbench.conformance import promises
from lstmbench.errors import RuntimeMissingError, WorkerError
from lstmbench.runtimes import chromium, node_modules, vulkan
from lstmbench.runtimes.assignment import Node
from lstmbench.runtimes.web_session import WebSession
from lstmbench.worker import Worker

GPU, CPU = "WebGpuExecutionProvider", "CPUExecutionProvider"
ENGINE = """
export class Tensor { constructor(type, data, dims) { Object.assign(this, { type, data, dims }) } }
export const env = { wasm: {}, webgpu: { device: Promise.resolve(
  { adapterInfo: { isFallbackAdapter: true, architecture: "swiftshader" } }) } };
export const InferenceSession = { async create(graph, { enableProfiling, executionProviders }) {
  console.log("not of a profile");
  const entry = (name, op, provider) =>
    `{"cat" : "Node","name" :"${name}_kernel_time","args" : {"op_name" : "${op}","provider" : "${provider}"}},`;
  return {
    run: async (feeds) => enableProfiling ? {} : feeds,
    release: async () => {},
    endProfiling: () => console.log("[\\n" + entry("l0.gemm", "Gemm", executionProviders[0]) + "\\n]"),
  };
} };
"""


@pytest.fixture
def web(monkeypatch):
    """The adapter's module, of an environment that is not here."""
    monkeypatch.setattr(node_modules, "version", lambda _: "1")
    from lstmbench.runtimes import onnxruntime_web_webgpu

    return onnxruntime_web_webgpu


def written(*parts):
    entries = [
        {"cat": "Node", "name": f"{name}_kernel_time", "args": {"op_name": op, "provider": where}}
        for name, op, where in parts
    ]
    entries.append({"cat": "Node", "name": "l0.gemm_fence_before", "args": {"op_name": "Gemm"}})
    return "\n".join(f"{json.dumps(entry)}," for entry in entries)


def told(*info):
    return {"device": np.frombuffer(json.dumps(info).encode(), np.uint8)}


class Page:
    version, loaded = "1", told(False, "ada")

    def __init__(self, *parts):
        self.parts, self.profiles = parts, 0

    def profile(self, _):
        self.profiles += 1
        return written(*self.parts)

    def run(self, inputs):
        return inputs

    def close(self):
        pass


def test_each_node_of_a_profile_counts_once_however_often_its_body_ran(web):
    found = [("l0.gemm", "Gemm", GPU)] * 3 + [("head.t", "Transpose", CPU)]
    assert list(web.nodes(written(*found))) == [Node(CPU, "Transpose", "head.t"), Node(GPU, "Gemm", "l0.gemm")]


def test_a_device_in_software_is_named_so_and_one_that_is_not_told_is_refused(web):
    assert web.device(told(True, "")) == "software adapter"
    assert web.device(told(False, "swiftshader")) == "software adapter", "whatever it says of itself"
    assert web.device(told(False, "ada")) == ""
    with pytest.raises(WorkerError, match="tells of no WebGPU device"):
        web.device({})


def test_a_graph_whose_nodes_compute_on_the_cpu_is_refused_and_data_may_be_moved_there(web):
    moves = Page(("l0.gemm", "Gemm", GPU), ("t", "Transpose", CPU))
    graph = web.WebgpuGraph(moves)
    assert graph.placement() == ()
    assert graph.run({"x": 1}) == graph.run({"x": 1}) == {"x": 1}
    assert moves.profiles == 1, "asked once"
    assert {part.provider for part in graph.placement()} == {CPU, GPU}
    with pytest.raises(WorkerError, match=f"Scan ran on the CPU, not on {GPU}"):
        web.WebgpuGraph(Page(("l0.scan", "Scan", CPU), ("l0.gemm", "Gemm", GPU))).run({})


def test_swiftshader_is_asked_for_only_where_there_is_no_gpu(web, monkeypatch):
    monkeypatch.setattr(chromium, "program", lambda: "chromium")
    for devices, says in (((), "software adapter"), ((vulkan.Device("RTX", is_software=False),), "")):
        monkeypatch.setattr(vulkan, "devices", lambda found=devices: found)
        assert web.OnnxRuntimeWebWebgpu.ready() == says


@pytest.mark.slow
def test_a_page_tells_its_device_and_its_profile_and_nothing_else_that_is_printed(web, tmp_path):
    try:
        chromium.program()
    except RuntimeMissingError as error:
        pytest.skip(str(error))
    (tmp_path / "ort.webgpu.min.mjs").write_text(ENGINE)
    session = WebSession(tmp_path, b"good", threads=1, version="1", provider="webgpu")
    assert web.device(session.loaded) == "software adapter"
    for _ in range(2):
        assert list(web.nodes(session.profile({}))) == [Node("webgpu", "Gemm", "l0.gemm")]
    assert session.run({"x": np.ones(2, np.float32)})["x"].tolist() == [1, 1]
    session.close()


@pytest.mark.slow
def test_the_real_one_is_right_on_a_software_adapter_and_refuses_scan(tmp_path):
    pytest.importorskip("onnxruntime")  # what an export is proved with
    try:
        environments.choose("onnxruntime-web-webgpu")
    except RuntimeMissingError as error:
        pytest.skip(str(error))
    from lstmbench.flows.conform import _subject

    subject = _subject(tmp_path, "onnxruntime-web-webgpu", "lstm", 120)
    with Worker("onnxruntime-web-webgpu", subject.exported) as worker:
        assert worker.info.device in {"", "software adapter"}
        assert {part.provider for part in worker.info.placement if part.recurrent} == {GPU}
    scan = _subject(tmp_path, "onnxruntime-web-webgpu", "scan", 120)
    assert "recurrent nodes ran on CPUExecutionProvider" in promises.placement(scan)
