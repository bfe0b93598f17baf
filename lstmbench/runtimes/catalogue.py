"""Runtimes by name: our own, those of installed packages, and `module:Class` for whoever is writing one."""

import importlib
import importlib.util
from importlib.metadata import PackageNotFoundError, entry_points, version
from typing import cast

from lstmbench.errors import RuntimeMissingError
from lstmbench.runtimes.contract import RunsGraphs, Runtime
from lstmbench.runtimes.ours import ENGINES, FROM_CHECKPOINT, GRAPH_ENGINES, PROBED, Entry

# of entry points: what runs our exports, and what runs any graph
GROUP, GRAPHS = "lstmbench.runtimes", "lstmbench.graphs"
PROBES = "probes"  # of names: what runs any graph, and besides what is asked for its answers alone


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
    if name in PROBED and group != PROBES:
        raise RuntimeMissingError(f"runtime {name!r} is for 'lstmbench probe' alone: {PROBED[name].probed}")
    if name not in entries:
        which = "" if group == GROUP else " that runs any graph"
        raise RuntimeMissingError(f"no runtime named {name!r}{which}; here: {', '.join(sorted(entries))}")
    return entries[name]


def known(name: str) -> Entry | None:
    """What is known under this name, whatever it runs."""
    return (_entries(PROBES) | _entries(GROUP)).get(name)


def from_checkpoint(asked: str) -> bool:
    """Whether `NAME` or `NAME==VERSION` runs no file: it computes the same float32 whatever form and precision are."""
    return asked.partition("==")[0] in FROM_CHECKPOINT


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
        return _entries(GRAPHS) | PROBED
    # ours come last and win: nobody else's code may run under a name whose rows readers know
    others = {point.name: Entry(point.value, point.value.partition(":")[0]) for point in entry_points(group=group)}
    return others | (ENGINES if group == GROUP else GRAPH_ENGINES)


def _installed(package: str) -> bool:
    try:
        return importlib.util.find_spec(package.partition(".")[0]) is not None
    except ValueError:  # a module that does not know where it came from: an entry point may name anything
        return False
