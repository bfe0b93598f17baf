"""ONNX Runtime, CUDA provider: an NVIDIA GPU, in float32 proper."""

from collections.abc import Mapping
from pathlib import Path

import onnxruntime as ort

from lstmbench.errors import WorkerError
from lstmbench.runtimes import nvidia
from lstmbench.runtimes.onnxruntime_carried import Memory
from lstmbench.runtimes.onnxruntime_device import OnnxRuntimeDevice
from lstmbench.runtimes.onnxruntime_session import Provider, options

MENDS = "its CUDA libraries come with 'onnxruntime-gpu[cuda,cudnn]'"


class OnnxRuntimeCuda(OnnxRuntimeDevice):
    """Forms of a fixed T without control flow are captured in a CUDA graph, and their rows say so.

    An LSTM with P has no kernel there: ONNX Runtime gives it to the CPU, and its placement tells.
    """

    provider = "CUDAExecutionProvider"
    memory = Memory("cuda", allocates=True)
    own: Mapping[str, str] = {"use_tf32": "0"}  # by default products round their inputs to 10 bits of mantissa
    capture: Mapping[str, str] = {"enable_cuda_graph": "1"}

    @classmethod
    def ready(cls) -> str:
        """The GPU's name; RuntimeMissingError where there is none, or where a library is missing."""
        name = nvidia.gpu()
        preload()
        nvidia.demand_loads(library("cuda"), mends=MENDS)
        return name

    @classmethod
    def providers(cls) -> tuple[Provider, ...]:
        """CUDA alone."""
        return ((cls.provider, cls.own),)

    def _open(self) -> ort.InferenceSession:
        if self._exported.steps is None:  # control flow cannot be captured
            return super()._open()
        (name, own), *others = self.providers()
        try:
            captured = self._start(options(self._threads), providers=[(name, {**own, **self.capture}), *others])
        except WorkerError:  # where a node is left to the CPU, and there the placement says which
            return super()._open()
        self.memory, self.device = self.memory._replace(captures=True), f"{self.device}, CUDA graph"
        return captured


def library(provider: str) -> Path:
    """Where the wheel has what it loads for a provider."""
    return Path(ort.__file__).parent / "capi" / f"libonnxruntime_providers_{provider}.so"


def preload() -> None:
    """Load what NVIDIA's packages bring, where no loader looks; ONNX Runtime before 1.21 leaves that to the user."""
    if hasattr(ort, "preload_dlls"):
        ort.preload_dlls()
