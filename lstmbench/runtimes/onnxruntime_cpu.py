"""ONNX Runtime, CPU provider."""

from lstmbench.runtimes.onnxruntime_export import OnnxRuntimeExport


class OnnxRuntimeCpu(OnnxRuntimeExport):
    """All of the graph on the CPU."""

    provider = "CPUExecutionProvider"
