"""ONNX Runtime, CUDA provider: an NVIDIA GPU, in float32 proper."""

from collections.abc import Mapping
from pathlib import Path

import onnxruntime as ort

from lstmbench.arrays import Floats, Lengths, State, Tokens
from lstmbench.errors import WorkerError
from lstmbench.records import ExportedModel
from lstmbench.runtimes import nvidia
from lstmbench.runtimes.onnxruntime_carried import Memory, captured, uncaptured
from lstmbench.runtimes.onnxruntime_device import OnnxRuntimeDevice
from lstmbench.runtimes.onnxruntime_held import HeldByOnnxRuntime
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

    def __init__(self, exported: ExportedModel, *, threads: int) -> None:
        super().__init__(exported, threads=threads)
        self._held: dict[tuple[int, ...], HeldByOnnxRuntime] = {}  # by the shape of the inputs

    def hold(
        self, inputs: Tokens | Floats, state: State | None, *, lengths: Lengths | None = None
    ) -> HeldByOnnxRuntime:
        """Copy the inputs to the device, over those of the same shape before: a captured graph reads them there."""
        feeds = self._feeds(inputs, state, lengths)
        held = self._held.get(inputs.shape)
        if held is None:
            how = captured() if self.memory.captures else uncaptured()
            held = HeldByOnnxRuntime(self._session, feeds, self._config, memory=self.memory.name, options=how)
            self._held[inputs.shape] = held
        held.put(feeds)
        return held

    def close(self) -> None:
        """Forget what is held, before the session that it is of."""
        self._held.clear()
        super().close()

    def _open(self) -> ort.InferenceSession:
        if self._exported.steps is None:  # control flow cannot be captured
            return super()._open()
        (name, own), *others = self.providers()
        try:
            session = self._start(options(self._threads), providers=[(name, {**own, **self.capture}), *others])
        except WorkerError:  # where a node is left to the CPU, and there the placement says which
            return super()._open()
        self.memory, self.device = self.memory._replace(captures=True), f"{self.device}, CUDA graph"
        return session


def library(provider: str) -> Path:
    """Where the wheel has what it loads for a provider."""
    return Path(ort.__file__).parent / "capi" / f"libonnxruntime_providers_{provider}.so"


def preload() -> None:
    """Load what NVIDIA's packages bring, where no loader looks; ONNX Runtime before 1.21 leaves that to the user."""
    if hasattr(ort, "preload_dlls"):
        ort.preload_dlls()
