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
    beside: tuple[str, ...] = ()  # wheels of the same version that it needs besides
    probed: str = ""  # what is wrong with it, where it is asked for its answers alone


FROM_CHECKPOINT = ("numpy", "torch")  # they run no file: the same float32 whatever its form and precision
_OURS = {
    "numpy": Entry("lstmbench.runtimes.numpy_float32:NumpyFloat32", "numpy"),
    "onnxruntime-cpu": Entry(
        "lstmbench.runtimes.onnxruntime_cpu:OnnxRuntimeCpu", "onnxruntime", "cpu", wheel="onnxruntime"
    ),
    "onnxruntime-webgpu": Entry(
        "lstmbench.runtimes.onnxruntime_webgpu:OnnxRuntimeWebgpu",
        "onnxruntime",
        wheel="onnxruntime-webgpu",
        system="Vulkan",
    ),
    "openvino-cpu": Entry("lstmbench.runtimes.openvino_cpu:OpenVinoCpu", "openvino", wheel="openvino"),
    "openvino-cpu-bf16": Entry("lstmbench.runtimes.openvino_cpu:OpenVinoCpuBf16", "openvino", wheel="openvino"),
    "torch": Entry("lstmbench.runtimes.torch_eager:TorchEager", "torch", "torch"),
    "tract-cpu": Entry("lstmbench.runtimes.tract_cpu:TractCpu", "tract", wheel="tract"),
}
_OUR_GRAPHS = {
    "onnx-reference": Entry("lstmbench.runtimes.onnx_reference:OnnxReference", "onnx"),
    "onnxruntime-cpu": _OURS["onnxruntime-cpu"],
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
    """The names whose packages are installed here; none of them is imported to find out."""
    return tuple(name for name, one in sorted(_entries(group).items()) if is_here(one))


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


def is_here(one: Entry) -> bool:
    """Whether this Python has what it needs; nothing is imported to find out."""
    # several wheels bring one module: its presence does not tell which of them is installed
    return bool(own_version(one)) if one.wheel and not one.extra else _installed(one.package)


def own_version(one: Entry) -> str:
    """Of its wheel in this Python; empty where it has none or is not installed."""
    try:
        return version(one.wheel) if one.wheel else ""
    except PackageNotFoundError:
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
