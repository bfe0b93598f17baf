"""Which GPU NVIDIA's driver has here, and whether a library that computes on it can be loaded: asked before an engine.

Functions and numbers are those of the CUDA driver API (cuInit, cuDeviceGetCount, cuDeviceGet, cuDeviceGetName).
"""

import ctypes
from pathlib import Path

from lstmbench.errors import RuntimeMissingError

_DRIVER = "libcuda.so.1"
_NAME_BYTES = 256


def gpu() -> str:
    """The name of the first GPU, which is the one that is computed on; RuntimeMissingError where there is none."""
    try:
        driver = ctypes.CDLL(_DRIVER)
    except OSError as error:
        raise RuntimeMissingError(f"it needs an NVIDIA GPU and its driver: {_DRIVER} is not here") from error
    count, device, name = ctypes.c_int(), ctypes.c_int(), ctypes.create_string_buffer(_NAME_BYTES)
    status = driver.cuInit(0) or driver.cuDeviceGetCount(ctypes.byref(count))
    if status or not count.value:
        raise RuntimeMissingError(f"it needs an NVIDIA GPU: the driver finds none (CUDA status {status})")
    if driver.cuDeviceGet(ctypes.byref(device), 0) or driver.cuDeviceGetName(name, _NAME_BYTES, device):
        raise RuntimeMissingError("it needs an NVIDIA GPU: the driver has one that it cannot name")
    return name.value.decode(errors="replace")


def has_driver() -> bool:
    """Whether the machine has NVIDIA's driver at all."""
    try:
        ctypes.CDLL(_DRIVER)
    except OSError:
        return False
    return True


def demand_loads(library: Path, *, mends: str) -> None:
    """RuntimeMissingError, with what `mends` it, where a shared library lacks another that it needs."""
    try:
        ctypes.CDLL(str(library))
    except OSError as error:
        raise RuntimeMissingError(f"{library.name} cannot be loaded: {error}; {mends}") from error
