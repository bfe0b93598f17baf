"""ONNX Runtime, WebGPU provider: on a GPU, or on an adapter in software, and then every row says so."""

from lstmbench.runtimes import vulkan
from lstmbench.runtimes.onnxruntime_carried import Memory
from lstmbench.runtimes.onnxruntime_device import OnnxRuntimeDevice


class OnnxRuntimeWebgpu(OnnxRuntimeDevice):
    """It has no `hold`: a session returns before the device has finished, and nothing but a copy waits for it."""

    provider = "WebGpuExecutionProvider"
    memory = Memory("webgpu", allocates=False)
    tells_assignment = False  # of the nodes of WebGPU it tells none

    @classmethod
    def ready(cls) -> str:
        """'software adapter' where no GPU computes; RuntimeMissingError where Vulkan lacks something."""
        return "software adapter" if vulkan.settle().is_software else ""
