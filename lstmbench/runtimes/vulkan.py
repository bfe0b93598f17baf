"""Which devices Vulkan has here, and whether they are hardware: asked of its loader, before an engine asks.

Structures and numbers are those of the Vulkan specification 1.0 (vkEnumeratePhysicalDevices,
VkPhysicalDeviceProperties).
"""

import ctypes
import os
from pathlib import Path
from typing import NamedTuple

from lstmbench.errors import RuntimeMissingError

SWIFTSHADER = Path("/usr/lib/chromium/vk_swiftshader_icd.json")  # where Debian's chromium keeps its driver's manifest
_DRIVERS = "VK_ICD_FILENAMES"  # what the loader looks at instead of the drivers that are installed
_NEEDS = (
    "WebGPU needs Vulkan: apt-get install libvulkan1, and a driver of a GPU or, in software, apt-get install chromium"
)
_CPU = 4  # VK_PHYSICAL_DEVICE_TYPE_CPU
_TYPE, _NAME, _NAME_BYTES, _PROPERTIES_BYTES = 16, 20, 256, 4096  # the structure takes 824 bytes in version 1.0
_MOST = 16  # devices


class Device(NamedTuple):
    """One that Vulkan can compute on."""

    name: str
    is_software: bool


class _CreateInfo(ctypes.Structure):
    """VkInstanceCreateInfo, with nothing but its type."""

    _fields_ = (
        ("sType", ctypes.c_uint32),
        ("pNext", ctypes.c_void_p),
        ("flags", ctypes.c_uint32),
        ("pApplicationInfo", ctypes.c_void_p),
        ("enabledLayerCount", ctypes.c_uint32),
        ("ppEnabledLayerNames", ctypes.c_void_p),
        ("enabledExtensionCount", ctypes.c_uint32),
        ("ppEnabledExtensionNames", ctypes.c_void_p),
    )


def settle() -> Device:
    """The one kind of device that is here; of a driver in software the loader of this process is told for good.

    RuntimeMissingError where there is none, and where both kinds are: an engine does not tell which one it took.
    """
    found = devices()
    if not found and SWIFTSHADER.is_file() and _DRIVERS not in os.environ:
        os.environ[_DRIVERS] = str(SWIFTSHADER)
        found = devices()
    if not found:
        raise RuntimeMissingError(_NEEDS)
    if len({device.is_software for device in found}) > 1:
        names = " and ".join(device.name for device in found)
        raise RuntimeMissingError(f"Vulkan has {names}: name the driver's manifest that is meant in {_DRIVERS}")
    return found[0]


def devices() -> tuple[Device, ...]:
    """All that the loader finds; none where there is no loader or no driver."""
    try:
        vulkan = ctypes.CDLL("libvulkan.so.1")
    except OSError:
        return ()
    instance, info = ctypes.c_void_p(), _CreateInfo(sType=1)
    if vulkan.vkCreateInstance(ctypes.byref(info), None, ctypes.byref(instance)):
        return ()
    try:
        count, handles = ctypes.c_uint32(_MOST), (ctypes.c_void_p * _MOST)()
        vulkan.vkEnumeratePhysicalDevices(instance, ctypes.byref(count), handles)
        return tuple(_device(vulkan, ctypes.c_void_p(handle)) for handle in handles[: count.value])
    finally:
        vulkan.vkDestroyInstance(instance, None)


def _device(vulkan: ctypes.CDLL, handle: ctypes.c_void_p) -> Device:
    properties = ctypes.create_string_buffer(_PROPERTIES_BYTES)
    vulkan.vkGetPhysicalDeviceProperties(handle, properties)
    kind = int.from_bytes(properties.raw[_TYPE : _TYPE + 4], "little")
    name = properties.raw[_NAME : _NAME + _NAME_BYTES].partition(b"\0")[0].decode(errors="replace")
    return Device(name, kind == _CPU)
