"""Runtimes by name: our own, those of installed packages, and `module:Class` for whoever is writing one."""

import importlib
import importlib.util
from importlib.metadata import PackageNotFoundError, entry_points, version
from typing import NamedTuple, cast

from lstmbench.errors import RuntimeMissingError
from lstmbench.runtimes.contract import RunsGraphs, Runtime

# of entry points: what runs our exports, and what runs any graph
GROUP, GRAPHS = "lstmbench.runtimes", "lstmbench.graphs"
PROBES = "probes"  # of names: what runs any graph, and besides what is asked for its answers alone


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
    demands: str = (
        ""  # "module:function" that raises RuntimeMissingError where the machine lacks it; no engine is loaded
    )
    libraries: tuple[str, ...] = ()  # what an environment gets besides, where the machine has NVIDIA's driver
    beside: tuple[str, ...] = ()  # wheels of the same version that it needs besides
    probed: str = ""  # what is wrong with it, where it is asked for its answers alone


_CUDA = ("onnxruntime-gpu[cuda,cudnn]",)
_FROM_CHECKPOINT = frozenset(
    {"jax-cpu", "numpy", "tensorflow-cpu", "tensorflow-cpu-eager", "tensorflow-cpu-xla", "torch", "torch-compile"}
)
_OURS = {
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
_OUR_GRAPHS = {
    "onnx-reference": _OURS["onnx-reference"]._replace(by_name=False),
    "onnxruntime-cpu": _OURS["onnxruntime-cpu"],
    "onnxruntime-cuda": _OURS["onnxruntime-cuda"],
    "onnxruntime-tensorrt": _OURS["onnxruntime-tensorrt"],
    "onnxruntime-node": _OURS["onnxruntime-node"],
    "onnxruntime-web-wasm": _OURS["onnxruntime-web-wasm"],
    "onnxruntime-webgpu": _OURS["onnxruntime-webgpu"],
    "openvino-cpu": _OURS["openvino-cpu"],
    "tract-cpu": _OURS["tract-cpu"],
}
_PROBED = {
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


def names(group: str = GROUP) -> tuple[str, ...]:
    """Every name that can be asked for, installed or not; with GRAPHS of those that run any graph, or PROBES."""
    return tuple(sorted(_entries(group)))


def available(group: str = GROUP) -> tuple[str, ...]:
    """The names that run where none is asked for: their packages are here, and nothing that they need is missing.

    No engine is imported to find out.
    """
    found = sorted(_entries(group).items())
    return tuple(name for name, one in found if is_here(one) and not one.by_name and not _lacks(one))


def load(name: str) -> type[Runtime]:
    """Import the adapter of this name, or `module:Class`; RuntimeMissingError in one line if that is not possible."""
    return cast("type[Runtime]", _load(name, GROUP, ("run", "placement", "close")))


def load_graphs(name: str) -> type[RunsGraphs]:
    """Import what runs any graph under this name, or `module:Class`; RuntimeMissingError if that is not possible."""
    return cast("type[RunsGraphs]", _load(name, PROBES, ("graph",)))


def entry(name: str, group: str = GROUP) -> Entry:
    """What is known under this name, or `module:Class`; RuntimeMissingError with the names that are known."""
    if ":" in name:
        return Entry(name, name.partition(":")[0])
    entries = _entries(group)
    if name in _PROBED and group != PROBES:
        raise RuntimeMissingError(f"runtime {name!r} is for 'lstmbench probe' alone: {_PROBED[name].probed}")
    if name not in entries:
        which = "" if group == GROUP else " that runs any graph"
        raise RuntimeMissingError(f"no runtime named {name!r}{which}; here: {', '.join(sorted(entries))}")
    return entries[name]


def known(name: str) -> Entry | None:
    """What is known under this name, whatever it runs."""
    return (_entries(PROBES) | _entries(GROUP)).get(name)


def from_checkpoint(asked: str) -> bool:
    """Whether `NAME` or `NAME==VERSION` runs no file: it computes the same float32 whatever form and precision are."""
    return asked.partition("==")[0] in _FROM_CHECKPOINT


def on_device(asked: str) -> bool:
    """Whether `NAME` or `NAME==VERSION` is a runtime of ours that computes on a device beside the CPU."""
    one = known(asked.partition("==")[0])
    return one is not None and one.device


def is_here(one: Entry) -> bool:
    """Whether this Python has what it needs; nothing is imported to find out."""
    # several wheels bring one module: its presence does not tell which of them is installed
    return bool(own_version(one)) if one.wheel and not one.extra else _installed(one.package)


def demand_machine(name: str, one: Entry) -> None:
    """RuntimeMissingError where the machine is known to lack what the runtime needs."""
    if lacks := _lacks(one):
        raise RuntimeMissingError(f"runtime {name!r} cannot run here: {lacks}")


def own_version(one: Entry) -> str:
    """Of its wheel in this Python; empty where it has none or is not installed."""
    try:
        return version(one.wheel) if one.wheel else ""
    except PackageNotFoundError:
        return ""


def _lacks(one: Entry) -> str:
    """What the machine lacks, empty where nothing is known to be missing."""
    module, _, function = one.demands.partition(":")
    try:
        if module:
            getattr(importlib.import_module(module), function)()
    except RuntimeMissingError as error:
        return str(error)
    return ""


def _load(name: str, group: str, members: tuple[str, ...]) -> type:
    found_entry = entry(name, group)
    if found_entry.extra and not _installed(found_entry.package):
        raise RuntimeMissingError(
            f"runtime {name!r} needs the extra {found_entry.extra!r}: pip install 'lstmbench[{found_entry.extra}]'"
        )
    target = found_entry.target
    module, _, attribute = target.partition(":")
    try:
        found = getattr(importlib.import_module(module), attribute)
    except Exception as error:  # a third party's module may raise anything
        why = " ".join(f"{type(error).__name__}: {error}".split())
        raise RuntimeMissingError(f"runtime {name!r} ({target}) cannot be imported: {why}") from error
    missing = [member for member in members if not callable(getattr(found, member, None))]
    if not isinstance(found, type) or missing:
        lacks = f"it lacks {', '.join(missing)}" if missing else "it is no class"
        raise RuntimeMissingError(f"runtime {name!r} ({target}) is not one: {lacks}")
    return found


def _entries(group: str) -> dict[str, Entry]:
    if group == PROBES:
        return _entries(GRAPHS) | _PROBED
    # ours come last and win: nobody else's code may run under a name whose rows readers know
    others = {point.name: Entry(point.value, point.value.partition(":")[0]) for point in entry_points(group=group)}
    return others | (_OURS if group == GROUP else _OUR_GRAPHS)


def _installed(package: str) -> bool:
    try:
        return importlib.util.find_spec(package.partition(".")[0]) is not None
    except ValueError:  # a module that does not know where it came from: an entry point may name anything
        return False
