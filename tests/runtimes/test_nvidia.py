"""What is said where there is no NVIDIA GPU, and what of the real wheel where its environment is at hand."""

import ctypes
import os

import pytest

from lstmbench import environments
from lstmbench.errors import RuntimeMissingError
from lstmbench.runtimes import catalogue, nvidia
from lstmbench.worker import meet


class Driver:
    """NVIDIA's, as far as it is asked."""

    def __init__(self, *, status=0, count=1, names=True):
        self.cuInit = lambda _: status
        self.cuDeviceGetCount = lambda to: setattr(to._obj, "value", count) or 0
        self.cuDeviceGet = lambda *_: 0
        self.cuDeviceGetName = self.name if names else lambda *_: 1

    @staticmethod
    def name(buffer, *_):
        buffer.value = b"NVIDIA of tests"
        return 0


@pytest.fixture
def driver(monkeypatch):
    """Libraries that are here: the driver's, or none."""

    def driver(one):
        def opened(name):
            if one is None or "libcuda" not in name:
                raise OSError(f"{name}: libcublas.so.13: cannot open shared object file")
            return one

        monkeypatch.setattr(ctypes, "CDLL", opened)

    return driver


def test_a_gpu_is_named(driver):
    driver(Driver())
    assert nvidia.gpu() == "NVIDIA of tests"
    assert nvidia.has_driver()


@pytest.mark.parametrize(
    ("one", "why"),
    [
        (None, "it needs an NVIDIA GPU and its driver: libcuda.so.1 is not here"),
        (Driver(status=100), r"it needs an NVIDIA GPU: the driver finds none \(CUDA status 100\)"),
        (Driver(count=0), r"the driver finds none \(CUDA status 0\)"),
        (Driver(names=False), "the driver has one that it cannot name"),
    ],
)
def test_where_there_is_none_it_says_so(driver, one, why):
    driver(one)
    with pytest.raises(RuntimeMissingError, match=why):
        nvidia.gpu()


def test_a_library_that_is_missing_is_named_with_what_mends_it(driver, tmp_path):
    driver(Driver())
    with pytest.raises(
        RuntimeMissingError, match=r"providers_cuda.so cannot be loaded: .*libcublas.so.13.*; install it"
    ):
        nvidia.demand_loads(tmp_path / "libonnxruntime_providers_cuda.so", mends="install it")


@pytest.mark.parametrize("runtime", ["onnxruntime-cuda", "onnxruntime-tensorrt"])
def test_it_is_refused_before_anything_is_started_and_is_no_default(driver, monkeypatch, runtime):
    monkeypatch.setattr(catalogue, "version", lambda _: "1.31.1")
    driver(None)
    assert runtime not in catalogue.available()
    with pytest.raises(RuntimeMissingError, match=f"runtime '{runtime}' cannot run here: it needs an NVIDIA GPU"):
        environments.demand(runtime)
    driver(Driver())
    assert runtime in catalogue.available()
    environments.demand(runtime)


def test_its_cuda_libraries_come_along_only_where_the_driver_is(driver):
    from lstmbench.environments import build, wanted
    from lstmbench.runtimes import catalogue

    known = catalogue.entry("onnxruntime-cuda")
    driver(None)
    assert build._requirements(known, wanted("onnxruntime-cuda==1.31.1"))[0] == "onnxruntime-gpu==1.31.1"
    assert not any("[" in line for line in build._requirements(known, wanted("onnxruntime-cuda")))
    driver(Driver())
    assert "onnxruntime-gpu[cuda,cudnn]" in build._requirements(known, wanted("onnxruntime-cuda"))


@pytest.mark.parametrize("runtime", ["onnxruntime-cuda", "onnxruntime-tensorrt"])
def test_the_real_wheel_lists_its_providers_and_says_what_the_machine_lacks(runtime):
    """Only where somebody installed it: it takes over 400 MB."""
    try:
        environments.choose(runtime)
    except RuntimeMissingError as error:
        pytest.skip(str(error))
    if os.path.exists("/dev/nvidia0"):  # noqa: PTH110 (a device, not a file of ours)
        pytest.skip("there is a GPU")
    met = meet(runtime).met
    assert {"CUDAExecutionProvider", "TensorrtExecutionProvider"} <= set(met.offers)
    assert met.lacks == "it needs an NVIDIA GPU and its driver: libcuda.so.1 is not here"
    assert met.device == ""
