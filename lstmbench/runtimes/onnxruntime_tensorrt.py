"""ONNX Runtime, TensorRT provider: engines that TensorRT builds for the shapes that it is called with."""

import contextlib
import importlib
import os
from collections.abc import Mapping

from lstmbench.runtimes import nvidia
from lstmbench.runtimes.onnxruntime_cuda import OnnxRuntimeCuda, library
from lstmbench.runtimes.onnxruntime_session import Provider

_TF32 = "NVIDIA_TF32_OVERRIDE"  # read by NVIDIA's libraries as they are loaded; the provider has no option for it


class OnnxRuntimeTensorrt(OnnxRuntimeCuda):
    """What TensorRT leaves goes to CUDA, and is refused as any other stray, unless it moves data alone."""

    provider = "TensorrtExecutionProvider"
    own: Mapping[str, str] = {}
    capture: Mapping[str, str] = {"trt_cuda_graph_enable": "1"}

    @classmethod
    def ready(cls) -> str:
        """The GPU's name; RuntimeMissingError where there is none, or where a library is missing."""
        os.environ[_TF32] = "0"
        name = super().ready()
        with contextlib.suppress(ImportError):  # loads its libraries, where no loader would look
            importlib.import_module("tensorrt_libs")
        nvidia.demand_loads(library("tensorrt"), mends="TensorRT's libraries come with its own package or NVIDIA's")
        return name

    @classmethod
    def providers(cls) -> tuple[Provider, ...]:
        """TensorRT before CUDA."""
        return ((cls.provider, cls.own), *OnnxRuntimeCuda.providers())
