"""The whole state of a machine, as far as it bears on what runs here: never its name, nor whose it is."""

import platform
import shutil
import subprocess
from collections.abc import Callable, Sequence
from importlib.metadata import distributions
from pathlib import Path
from typing import Any, TypedDict

from lstmbench import environments, machine
from lstmbench.flows.runtimes import survey
from lstmbench.records import Environment, Machine, RuntimeState

_BROWSERS = ("chromium", "chromium-browser", "google-chrome")
_SECONDS = 10.0  # that a program is given to tell its version
_GPUS = ("--query-gpu=name,driver_version,memory.total", "--format=csv,noheader")


class State(TypedDict):
    """What `lstmbench doctor` prints."""

    machine: Machine
    python: dict[str, str]
    packages: dict[str, str]  # of this Python
    runtimes: tuple[RuntimeState, ...]
    environments: tuple[Environment, ...]
    chromium: dict[str, str]
    gpus: list[dict[str, Any]]


def examine(progress: Callable[[str], None]) -> State:
    """Look at everything; each runtime is started once."""
    packages = {one.metadata["Name"]: one.version for one in distributions()}
    return State(
        machine=machine.observe(),
        python={"version": platform.python_version(), "implementation": platform.python_implementation()},
        packages=dict(sorted(packages.items())),
        runtimes=survey(progress),
        environments=environments.find(),
        chromium=chromium(),
        gpus=gpus(),
    )


def chromium() -> dict[str, str]:
    """The browser's version; nothing where there is none."""
    found = next((path for name in _BROWSERS if (path := shutil.which(name))), None)
    return {} if found is None else {"version": _told([found, "--version"])}


def gpus() -> list[dict[str, Any]]:
    """What the system has a device for, and what NVIDIA's own program tells of it."""
    devices = [str(path) for pattern in ("dri/renderD*", "nvidia[0-9]*", "kfd") for path in Path("/dev").glob(pattern)]
    found: list[dict[str, Any]] = [{"device": device} for device in sorted(devices)]
    program = shutil.which("nvidia-smi")
    told = _told([program, *_GPUS]) if program else ""
    return found + [{"nvidia-smi": line.strip()} for line in told.splitlines()]


def _told(command: Sequence[str]) -> str:
    """What a program writes; empty where it cannot say."""
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=_SECONDS, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout.strip() if done.returncode == 0 else ""
