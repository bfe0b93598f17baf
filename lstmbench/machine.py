"""What machine this is, before and after: never its name, nor whose it is."""

import functools
import math
import os
import platform
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path, PurePosixPath

import cpuinfo
import msgspec
import psutil

from lstmbench import host
from lstmbench.records import Load, Machine

PACKAGES = ("lstmbench", "numpy", "onnx", "onnxruntime", "onnxruntime-gpu", "torch", "llvmlite")
_MATTERS = re.compile(r"fma|f16c|avx.*|amx.*|vnni|neon|asimd.*|sve.*|i8mm|bf16|sme(\d|_).*|sme")  # to matrix products


def observe() -> Machine:
    """Describe this machine and its load; reads package versions without importing the packages."""
    cpu, flags = _cpu()
    return Machine(
        cpu=cpu,
        instruction_sets=tuple(sorted(flag for flag in flags if _MATTERS.fullmatch(flag))),
        cores_usable=default_threads(),
        cores_physical=psutil.cpu_count(logical=False),
        memory_bytes=psutil.virtual_memory().total,
        system=_system(),
        python=f"{platform.python_implementation()} {platform.python_version()}",
        governor=_governor(),
        versions=_versions(),
        before=_load(),
    )


def after(machine: Machine) -> Machine:
    """The same machine with its load now, at the end of a run."""
    return msgspec.structs.replace(machine, after=_load())


def default_threads() -> int:
    """How many threads can run at once here: the cores of the affinity mask, cut by the cgroup's CPU quota."""
    cores, quota = _affinity_cores(), cgroup_cores(Path("/"))
    return cores if quota is None else max(1, min(cores, math.floor(quota)))


def cgroup_cores(root: Path) -> float | None:
    """The tightest CPU quota on this process, in cores, of cgroup v1 or v2 under `root`; None without a limit."""
    return min(_quotas(root), default=None)


def _affinity_cores() -> int:
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _quotas(root: Path) -> Iterator[float]:
    for line in _text(root / "proc/self/cgroup").splitlines():
        _, controllers, path = line.split(":", 2)
        mount = root / "sys/fs/cgroup"
        if not controllers:  # v2: "0::/a/b"
            yield from _quotas_up(mount, path)
            yield from _quotas_up(mount / "unified", path)
        elif "cpu" in controllers.split(","):  # v1: "4:cpu,cpuacct:/a/b"
            yield from _quotas_up(mount / controllers, path)
            yield from _quotas_up(mount / "cpu", path)


def _quotas_up(mount: Path, path: str) -> Iterator[float]:
    # a container may be shown its host's path but only its own root: what is not there does not limit
    here = PurePosixPath(path)
    for group in (here, *here.parents):
        folder = mount / group.relative_to("/")
        quota, _, period = _text(folder / "cpu.max").partition(" ")
        quota = quota or _text(folder / "cpu.cfs_quota_us")
        period = period or _text(folder / "cpu.cfs_period_us")
        if quota.isdigit() and period.isdigit():  # neither "max" nor "-1"
            yield int(quota) / int(period)


@functools.cache  # asks a process of its own
def _cpu() -> tuple[str, tuple[str, ...]]:
    info = cpuinfo.get_cpu_info()
    name = info.get("brand_raw") or platform.processor() or "unknown CPU"
    if "family" in info and "model" in info:  # a virtual machine may hide all but "AMD EPYC"
        name += f" (family {info['family']}, model {info['model']})"
    return name, tuple(info.get("flags", ()))


def _system() -> str:
    # the rest of the kernel's release may name its builder
    release = re.match(r"\d+\.\d+", platform.release())
    return " ".join([platform.system(), *([release[0]] if release else []), platform.machine()])


def _governor() -> str | None:
    return _text(Path("/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor")) or None


def _versions() -> dict[str, str]:
    return {name: version for name in PACKAGES if (version := _version(name))}


def _version(package: str) -> str | None:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return None


def _load() -> Load:
    return Load(
        at=datetime.now(UTC).isoformat(timespec="seconds"),
        load_average=psutil.getloadavg(),
        cpu_mhz=host.cpu_mhz(),
    )


def _text(path: Path) -> str:
    try:
        return path.read_text().strip()
    except OSError:
        return ""
