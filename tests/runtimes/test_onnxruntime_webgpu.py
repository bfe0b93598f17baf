"""The WebGPU provider where its environment is at hand, and what must hold of it everywhere."""

import os

import numpy as np
import pytest

from lstmbench import environments
from lstmbench.check import check
from lstmbench.errors import RuntimeMissingError, WorkerError
from lstmbench.model import folder
from lstmbench.model.weights import random_weights
from lstmbench.records import ModelConfig, ModelFolder, Placement, Subject, Workload
from lstmbench.report.subjects import columns
from lstmbench.runtimes import vulkan
from lstmbench.runtimes.vulkan import Device
from lstmbench.worker import Worker, meet

ort = pytest.importorskip("onnxruntime")

from lstmbench.runtimes import onnxruntime_device  # noqa: E402
from lstmbench.runtimes.onnxruntime_webgpu import OnnxRuntimeWebgpu  # noqa: E402

GPU, SOFTWARE = Device("GPU of tests", is_software=False), Device("SwiftShader", is_software=True)


class Session:
    """What a session says of its providers."""

    def __init__(self, *providers):
        self.get_providers = lambda: list(providers)


@pytest.fixture
def drivers(monkeypatch, tmp_path):
    """Vulkan as it is without a driver; `drivers(...)` says what it finds then, and with SwiftShader named."""
    manifest = tmp_path / "vk_swiftshader_icd.json"
    monkeypatch.setattr(vulkan, "SWIFTSHADER", manifest)
    monkeypatch.setenv("VK_ICD_FILENAMES", "")  # so that it is as before when the test is over
    monkeypatch.delenv("VK_ICD_FILENAMES")

    def drivers(*found, swiftshader=True):
        manifest.write_text("{}") if swiftshader else manifest.unlink(missing_ok=True)
        named = lambda: (SOFTWARE,) if os.environ.get("VK_ICD_FILENAMES") == str(manifest) else found  # noqa: E731
        monkeypatch.setattr(vulkan, "devices", named)

    return drivers


def test_a_gpu_bears_no_label(drivers):
    drivers(GPU)
    assert OnnxRuntimeWebgpu.ready() == ""
    assert "VK_ICD_FILENAMES" not in os.environ


def test_where_there_is_no_gpu_swiftshader_is_taken_and_named(drivers):
    drivers()
    assert OnnxRuntimeWebgpu.ready() == "software adapter"


def test_a_driver_in_software_that_is_installed_is_named_too(drivers):
    drivers(Device("llvmpipe", is_software=True), swiftshader=False)
    assert OnnxRuntimeWebgpu.ready() == "software adapter"


def test_without_any_driver_it_says_what_to_install(drivers):
    drivers(swiftshader=False)
    with pytest.raises(RuntimeMissingError, match="WebGPU needs Vulkan: apt-get install libvulkan1, and a driver"):
        OnnxRuntimeWebgpu.ready()


def test_where_nothing_tells_gpu_from_software_it_is_refused(drivers):
    drivers(GPU, SOFTWARE)
    with pytest.raises(RuntimeMissingError, match="Vulkan has GPU of tests and SwiftShader: name the driver"):
        OnnxRuntimeWebgpu.ready()


def test_a_fall_back_to_the_cpu_is_an_error():
    with pytest.raises(RuntimeMissingError, match="asked ONNX Runtime for WebGpuExecutionProvider, got CPUExecution"):
        OnnxRuntimeWebgpu.demand_provider(Session("CPUExecutionProvider"))
    OnnxRuntimeWebgpu.demand_provider(Session("WebGpuExecutionProvider", "CPUExecutionProvider"))


@pytest.mark.parametrize("operator", ["LSTM", "Scan", "DynamicQuantizeLSTM"])
def test_a_graph_whose_recurrence_is_left_to_the_cpu_is_refused(monkeypatch, operator):
    left = [Placement(provider="CPUExecutionProvider", operator=name, nodes=1) for name in ("Transpose", operator)]
    session = Session("WebGpuExecutionProvider", "CPUExecutionProvider")
    monkeypatch.setattr(onnxruntime_device.assignment, "placement", lambda _: left)
    with pytest.raises(WorkerError, match=f"{operator} would run on the CPU, not on WebGpuExecutionProvider"):
        OnnxRuntimeWebgpu.demand_graph(session)
    monkeypatch.setattr(onnxruntime_device.assignment, "placement", lambda _: left[:1])
    OnnxRuntimeWebgpu.demand_graph(session)


def test_a_row_is_named_by_what_it_ran_on():
    subject = Subject(
        model="m/lstm-fp32",
        model_sha256="0" * 64,
        head="lm",
        peephole="full",
        form="lstm",
        precision="fp32",
        runtime="onnxruntime-webgpu",
        runtime_version="1.27.0",
        code_sha256="0" * 64,
        threads=1,
        device="software adapter",
    )
    assert columns(subject).runtime == "onnxruntime-webgpu (software adapter)"
    assert subject.identity.device == "software adapter", "samples of a GPU are not those of software"


@pytest.fixture(scope="module")
def webgpu():
    """Skip, with the reason, where it cannot run."""
    try:
        environments.choose("onnxruntime-webgpu")
        met = meet("onnxruntime-webgpu").met
    except RuntimeMissingError as error:
        pytest.skip(str(error))
    if met.lacks:
        pytest.skip(met.lacks)
    return met


def exported(path, peephole, form):
    from lstmbench.export import export

    config = ModelConfig(head="lm", vocabulary_size=7, peephole=peephole, input_size=5, hidden_size=12, num_layers=2)
    folder.write_config(path / peephole, ModelFolder(model=config))
    folder.write_weights(path / peephole, random_weights(config, seed=1), folder.WeightsNote(sha256=""))
    return export(path / peephole, form=form, precision="fp32")


@pytest.mark.parametrize(("peephole", "form"), [("diagonal", "lstm"), ("full", "step")])
def test_it_computes_the_same_function(webgpu, tmp_path, peephole, form):
    export = exported(tmp_path, peephole, form)
    report = check([export], ["onnxruntime-webgpu"], run=tmp_path / "run", shapes=[(2, 4)], progress=lambda _: None)
    (clearance,) = report.clearances
    assert (1, 1, 1, 1) in {row.chunks for row in report.rows}, "calls that go on from a state on the device"
    assert not clearance.refused
    assert clearance.subject.device == webgpu.device
    recurrent = [part for part in clearance.subject.placement if part.recurrent]
    assert {part.provider for part in recurrent} == {"WebGpuExecutionProvider"}
    assert {"lstm": "LSTM", "step": "Sigmoid"}[form] in {part.operator for part in recurrent}


def test_decoding_keeps_the_state_on_the_device(webgpu, tmp_path):
    decode = Workload(kind="decode", batch=2, time=3)
    with Worker("onnxruntime-webgpu", exported(tmp_path, "diagonal", "lstm")) as worker:
        taken = worker.measure(decode, np.zeros((2, 3), np.int64), warmup_s=0, budget_s=9, min_samples=4, max_samples=4)
        assert worker.info.device == webgpu.device
    assert len(taken.sample_s) == 4, "every answer was checked, over the end of T and a new beginning"


def test_a_scan_that_it_leaves_to_the_cpu_bears_no_figure_under_its_name(webgpu, tmp_path):
    export = exported(tmp_path, "full", "scan")
    report = check([export], ["onnxruntime-webgpu"], run=tmp_path / "run", shapes=[(2, 3)], progress=lambda _: None)
    assert report.clearances[0].refused.startswith("nodes that compute ran on CPUExecutionProvider, not on WebGpu")
