"""Where environments lie, `<cache>/lstmbench/environments/<runtime>-<version>/`, and which of them are whole."""

import os
import shutil
from pathlib import Path

from lstmbench import disk
from lstmbench.environments.wanted import Wanted, order
from lstmbench.errors import RuntimeMissingError
from lstmbench.records import Environment

RECORD = "environment.json"


def root() -> Path:
    """The folder that holds them all, in the user's cache (XDG Base Directory Specification)."""
    told = Path(os.environ.get("XDG_CACHE_HOME") or "~/.cache").expanduser()
    # the specification: a relative path is to be ignored
    cache = told if told.is_absolute() else Path("~/.cache").expanduser()
    return cache / "lstmbench" / "environments"


def folder(one: Environment) -> Path:
    """Of an environment."""
    return root() / f"{one.runtime}-{one.version}"


def python(one: Environment) -> Path:
    """The interpreter of an environment."""
    return interpreter(folder(one))


def interpreter(of: Path) -> Path:
    """Where an environment in this folder has its Python."""
    return of / "bin" / "python"


def environments() -> tuple[Environment, ...]:
    """All that are whole, by name and version."""
    found = [disk.read_record(path, Environment) for path in root().glob(f"[!.]*/{RECORD}")]
    return tuple(sorted(found, key=lambda one: (one.runtime, order(one.version))))


def find(asked: Wanted) -> Environment | None:
    """The environment of this version, or where none is asked for that of the newest."""
    fitting = [one for one in environments() if one.runtime == asked.name and asked.version in {"", one.version}]
    return fitting[-1] if fitting else None


def remove(asked: Wanted) -> tuple[Environment, ...]:
    """Take away the environment of this version, or where none is named all of the runtime -> those that were there."""
    gone = tuple(one for one in environments() if one.runtime == asked.name and asked.version in {"", one.version})
    if not gone:
        raise RuntimeMissingError(f"there is no environment of {asked}; 'lstmbench runtimes' lists those there are")
    with disk.locked(root()):
        for one in gone:
            discard(folder(one))
    return gone


def discard(of: Path) -> None:
    """Remove a folder; from the first moment on nobody takes it for an environment."""
    away = of if of.name.startswith(".") else of.with_name(f".{of.name}.{os.getpid()}.tmp")
    with disk.writing(of):
        if away != of:
            of.rename(away)
        shutil.rmtree(away)
