"""Which runtimes we have an adapter for, and what each needs."""

from typing import NamedTuple


class Entry(NamedTuple):
    """Where an adapter is, and for ours what it needs."""

    target: str  # "module:Class"
    package: str  # whose presence makes it available
    extra: str = ""  # of lstmbench, that installs the package
    wheel: str = ""  # its name in the package index, where an environment can be made of it
    system: str = ""  # what else the machine must have
    npm: bool = False  # whether the wheel is none, but a package of npm, which goes into the environment too
    device: bool = False  # it computes on one that the host launches kernels on, one by one
    by_name: bool = False  # runs where it is asked for alone: it takes long
    # "module:function" that raises RuntimeMissingError where the machine lacks it; no engine is loaded
    demands: str = ""
    libraries: tuple[str, ...] = ()  # what an environment gets besides, where the machine has NVIDIA's driver
    beside: tuple[str, ...] = ()  # wheels of the same version that it needs besides
    probed: str = ""  # what is wrong with it, where it is asked for its answers alone


_CUDA = ("onnxruntime-gpu[cuda,cudnn]",)
FROM_CHECKPOINT = frozenset(
    {"jax-cpu", "numpy", "tensorflow-cpu", "tensorflow-cpu-eager", "tensorflow-cpu-xla", "torch", "torch-compile"}
)
ENGINES = {
    "jax-cpu": Entry("lstmbench.runtimes.jax_cpu:JaxCpu", "jax", wheel="jax"),
    "numpy": Entry("lstmbench.runtimes.numpy_float32:NumpyFloat32", "numpy"),
    "onnx-reference": Entry("lstmbench.runtimes.onnx_reference:OnnxReference", "onnx", by_name=True),
    "onnxruntime-cpu": Entry(
        "lstmbench.runtimes.onnxruntime_cpu:OnnxRuntimeCpu", "onnxruntime", "cpu", wheel="onnxruntime"
    ),
    "onnxruntime-cuda": Entry(
        "lstmbench.runtimes.onnxruntime_cuda:OnnxRuntimeCuda",
        "onnxruntime",
        wheel="onnxruntime-gpu",
        system="an NVIDIA GPU",
        device=True,
        demands="lstmbench.runtimes.nvidia:gpu",
        libraries=_CUDA,
    ),
    "onnxruntime-tensorrt": Entry(
        "lstmbench.runtimes.onnxruntime_tensorrt:OnnxRuntimeTensorrt",
        "onnxruntime",
        wheel="onnxruntime-gpu",
        system="an NVIDIA GPU, TensorRT",
        device=True,
        demands="lstmbench.runtimes.nvidia:gpu",
        libraries=_CUDA,
    ),
    "onnxruntime-node": Entry(
        "lstmbench.runtimes.onnxruntime_node:OnnxRuntimeNode",
        "onnxruntime-node",
        wheel="onnxruntime-node",
        system="Node.js",
        npm=True,
    ),
    "onnxruntime-web-wasm": Entry(
        "lstmbench.runtimes.onnxruntime_web:OnnxRuntimeWebWasm",
        "onnxruntime-web",
        wheel="onnxruntime-web",
        system="Node.js, Chromium",
        npm=True,
    ),
    "onnxruntime-web-webgpu": Entry(
        "lstmbench.runtimes.onnxruntime_web_webgpu:OnnxRuntimeWebWebgpu",
        "onnxruntime-web",
        wheel="onnxruntime-web",
        system="Node.js, Chromium",
        npm=True,
        device=True,
    ),
    "onnxruntime-webgpu": Entry(
        "lstmbench.runtimes.onnxruntime_webgpu:OnnxRuntimeWebgpu",
        "onnxruntime",
        wheel="onnxruntime-webgpu",
        system="Vulkan",
        device=True,
    ),
    "openvino-cpu": Entry("lstmbench.runtimes.openvino_cpu:OpenVinoCpu", "openvino", wheel="openvino"),
    "openvino-cpu-bf16": Entry("lstmbench.runtimes.openvino_cpu:OpenVinoCpuBf16", "openvino", wheel="openvino"),
    "tensorflow-cpu": Entry("lstmbench.runtimes.tensorflow_cpu:TensorflowCpu", "tensorflow", wheel="tensorflow-cpu"),
    "tensorflow-cpu-eager": Entry(
        "lstmbench.runtimes.tensorflow_cpu:TensorflowCpuEager", "tensorflow", wheel="tensorflow-cpu"
    ),
    "tensorflow-cpu-xla": Entry(
        "lstmbench.runtimes.tensorflow_cpu:TensorflowCpuXla", "tensorflow", wheel="tensorflow-cpu"
    ),
    "torch": Entry("lstmbench.runtimes.torch_eager:TorchEager", "torch", "torch"),
    "torch-compile": Entry(
        "lstmbench.runtimes.torch_compiled:TorchCompiled",
        "torch",
        "torch",
        system="a C++ compiler",
        by_name=True,
        demands="lstmbench.runtimes.compiler:cxx",
    ),
    "tract-cpu": Entry("lstmbench.runtimes.tract_cpu:TractCpu", "tract", wheel="tract"),
}
GRAPH_ENGINES = {
    "onnx-reference": ENGINES["onnx-reference"]._replace(by_name=False),
    "onnxruntime-cpu": ENGINES["onnxruntime-cpu"],
    "onnxruntime-cuda": ENGINES["onnxruntime-cuda"],
    "onnxruntime-tensorrt": ENGINES["onnxruntime-tensorrt"],
    "onnxruntime-node": ENGINES["onnxruntime-node"],
    "onnxruntime-web-wasm": ENGINES["onnxruntime-web-wasm"],
    "onnxruntime-web-webgpu": ENGINES["onnxruntime-web-webgpu"],
    "onnxruntime-webgpu": ENGINES["onnxruntime-webgpu"],
    "openvino-cpu": ENGINES["openvino-cpu"],
    "tract-cpu": ENGINES["tract-cpu"],
}
PROBED = {
    "iree-cpu": Entry(
        "lstmbench.runtimes.iree_cpu:IreeCpu",
        "iree",
        wheel="iree-base-compiler",
        beside=("iree-base-compiler[onnx]", "iree-base-runtime"),
        probed="it answers an LSTM with P as if P were zero",
    ),
    "mnn-cpu": Entry(
        "lstmbench.runtimes.mnn_cpu:MnnCpu", "MNN", wheel="MNN", probed="its converter refuses an LSTM with P"
    ),
    "opencv-cpu": Entry(
        "lstmbench.runtimes.opencv_cpu:OpenCvCpu",
        "cv2",
        wheel="opencv-python-headless",
        probed="its answers to an LSTM with P are wrong",
    ),
}
