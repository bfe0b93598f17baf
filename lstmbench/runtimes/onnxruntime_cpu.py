"""ONNX Runtime, CPU provider."""

from lstmbench.runtimes.onnxruntime_held import HoldsInOnnxRuntime


class OnnxRuntimeCpu(HoldsInOnnxRuntime):
    """All of the graph on the CPU."""

    provider = "CPUExecutionProvider"
    memory = "cpu"
