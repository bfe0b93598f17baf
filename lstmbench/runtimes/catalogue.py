"""Runtimes by name: our own, those of installed packages, and `module:Class` for whoever is writing one."""

import importlib
import importlib.util
from importlib.metadata import entry_points
from typing import NamedTuple, cast

from lstmbench.errors import RuntimeMissingError
from lstmbench.runtimes.contract import Runtime

GROUP = "lstmbench.runtimes"  # of entry points


class Entry(NamedTuple):
    """Where an adapter is, and for ours what it needs."""

    target: str  # "module:Class"
    package: str  # whose presence makes it available
    extra: str = ""  # of lstmbench, that installs the package


FROM_CHECKPOINT = ("numpy", "torch")  # they run no file: the same float32 whatever its form and precision
_OURS = {
    "numpy": Entry("lstmbench.runtimes.numpy_float32:NumpyFloat32", "numpy"),
    "onnxruntime-cpu": Entry("lstmbench.runtimes.onnxruntime_cpu:OnnxRuntimeCpu", "onnxruntime", "cpu"),
    "torch": Entry("lstmbench.runtimes.torch_eager:TorchEager", "torch", "torch"),
}


def names() -> tuple[str, ...]:
    """Every name that can be asked for, installed or not."""
    return tuple(sorted(_entries()))


def available() -> tuple[str, ...]:
    """The names whose packages are installed here; none of them is imported to find out."""
    return tuple(name for name, entry in sorted(_entries().items()) if _installed(entry.package))


def load(name: str) -> type[Runtime]:
    """Import the adapter of this name, or `module:Class`; RuntimeMissingError in one line if that is not possible."""
    entry = _entry(name)
    if entry.extra and not _installed(entry.package):
        raise RuntimeMissingError(
            f"runtime {name!r} needs the extra {entry.extra!r}: pip install 'lstmbench[{entry.extra}]'"
        )
    module, _, attribute = entry.target.partition(":")
    try:
        found = getattr(importlib.import_module(module), attribute)
    except Exception as error:  # a third party's module may raise anything
        why = " ".join(f"{type(error).__name__}: {error}".split())
        raise RuntimeMissingError(f"runtime {name!r} ({entry.target}) cannot be imported: {why}") from error
    return _demand_runtime(name, entry, found)


def _entry(name: str) -> Entry:
    if ":" in name:
        return Entry(name, name.partition(":")[0])
    entries = _entries()
    if name not in entries:
        raise RuntimeMissingError(f"no runtime named {name!r}; here: {', '.join(sorted(entries))}")
    return entries[name]


def _entries() -> dict[str, Entry]:
    # ours come last and win: nobody else's code may run under a name whose rows readers know
    others = {point.name: Entry(point.value, point.value.partition(":")[0]) for point in entry_points(group=GROUP)}
    return others | _OURS


def _installed(package: str) -> bool:
    try:
        return importlib.util.find_spec(package.partition(".")[0]) is not None
    except ValueError:  # a module that does not know where it came from: an entry point may name anything
        return False


def _demand_runtime(name: str, entry: Entry, found: object) -> type[Runtime]:
    missing = [member for member in ("run", "placement", "close") if not callable(getattr(found, member, None))]
    if not isinstance(found, type) or missing:
        lacks = f"it lacks {', '.join(missing)}" if missing else "it is no class"
        raise RuntimeMissingError(f"runtime {name!r} ({entry.target}) is not one: {lacks}")
    return cast("type[Runtime]", found)
