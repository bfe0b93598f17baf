"""Where environments lie, `<cache>/lstmbench/environments/<wheel>-<version>/`, and which of them are whole."""

import os
import shutil
from pathlib import Path

from lstmbench import disk
from lstmbench.environments.wanted import Wanted, order
from lstmbench.errors import RecordError, RuntimeMissingError
from lstmbench.records import Environment
from lstmbench.runtimes import catalogue

RECORD = "environment.json"


def root() -> Path:
    """The folder that holds them all, in the user's cache (XDG Base Directory Specification)."""
    told = Path(os.environ.get("XDG_CACHE_HOME") or "~/.cache").expanduser()
    # the specification: a relative path is to be ignored
    cache = told if told.is_absolute() else Path("~/.cache").expanduser()
    return cache / "lstmbench" / "environments"


def folder(one: Environment) -> Path:
    """Of an environment."""
    return root() / f"{one.wheel}-{one.version}"


def python(one: Environment) -> Path:
    """The interpreter of an environment."""
    return interpreter(folder(one))


def interpreter(of: Path) -> Path:
    """Where an environment in this folder has its Python."""
    return of / "bin" / "python"


def find(wheel: str = "", version: str = "") -> tuple[Environment, ...]:
    """All environments that are whole, or those of one wheel, or of one version; by wheel, the newest last."""
    found = filter(None, map(_read, root().glob(f"[!.]*/{RECORD}")))
    fitting = [one for one in found if wheel in {"", one.wheel} and version in {"", one.version}]
    return tuple(sorted(fitting, key=lambda one: (one.wheel, order(one.version))))


def _read(path: Path) -> Environment | None:
    """The record; none where it cannot be read: what bears it is no whole environment, and is built again."""
    try:
        return disk.read_record(path, Environment)
    except RecordError:
        return None


def remove(asked: Wanted) -> tuple[Environment, ...]:
    """Take away the environment of this version, or where none is named all of the runtime -> those that were there."""
    known = catalogue.known(asked.name)
    gone = find(known.wheel, asked.version) if known and known.wheel else ()
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
