"""ONNX Runtime, WebGPU provider: on a GPU, or on an adapter in software, and then every row says so."""

import onnxruntime as ort

from lstmbench.errors import RuntimeMissingError, WorkerError
from lstmbench.runtimes import assignment, vulkan
from lstmbench.runtimes.onnxruntime_export import OnnxRuntimeExport

# what computes nothing that is timed or judged
_MOVE = frozenset(
    "Transpose Gather Slice Shape Cast Concat Reshape Squeeze Unsqueeze Constant ConstantOfShape Expand".split()  # noqa: SIM905
)


class OnnxRuntimeWebgpu(OnnxRuntimeExport):
    """What WebGPU has a kernel for; shapes and whole numbers stay on the CPU."""

    provider = "WebGpuExecutionProvider"
    tells_assignment = False  # of the nodes of WebGPU it tells none

    @classmethod
    def ready(cls) -> str:
        """'software adapter' where no GPU computes; RuntimeMissingError where Vulkan lacks something."""
        return "software adapter" if vulkan.settle().is_software else ""

    @classmethod
    def demand_provider(cls, session: ort.InferenceSession) -> None:
        """RuntimeMissingError where it fell back to the CPU; that some nodes go there is for the placement to tell."""
        if session.get_providers()[0] != cls.provider:
            raise RuntimeMissingError(
                f"asked ONNX Runtime for {cls.provider}, got {', '.join(session.get_providers())}"
            )

    @classmethod
    def demand_graph(cls, session: ort.InferenceSession) -> None:
        """WorkerError besides, where it leaves to the CPU what computes: nodes on the CPU are all that it tells."""
        cls.demand_provider(session)
        left = {part.operator for part in assignment.placement(session) if part.provider != cls.provider} - _MOVE
        if left:
            raise WorkerError(f"{', '.join(sorted(left))} would run on the CPU, not on {cls.provider}")
