"""Building an environment: beside its place, proved, then moved there in one step."""

import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import TypeAlias

from lstmbench import disk
from lstmbench.environments import modules, place, tool
from lstmbench.environments.pins import moved, pins
from lstmbench.environments.wanted import Wanted
from lstmbench.errors import RuntimeMissingError
from lstmbench.records import Environment
from lstmbench.runtimes import catalogue, nvidia
from lstmbench.runtimes.ours import Entry

Prove: TypeAlias = Callable[[str, Path], str]  # start the runtime on this Python -> the version that it tells


def install(asked: Wanted, *, prove: Prove, progress: Callable[[str], None]) -> Environment:
    """Make the environment of a runtime, of the newest version where none is asked for; one that is there stays.

    Unless what it holds beside the engine is of other versions than here: then it is built again.

    LstmbenchError in one line where the index lacks it or is out of reach, or where it does not start; nothing is left
    of it then.
    """
    known = _known(asked)
    if asked.version and (found := _stays(known.wheel, asked.version)):
        return found
    disk.make_folder(place.root())
    with disk.locked(place.root()):
        _sweep()
        built = place.root() / f".{asked.name}.{os.getpid()}.tmp"
        try:
            progress(f"building an environment for {asked}")
            tool.build(built, _requirements(known, asked))
            if known.npm:
                modules.add(built, known.wheel, asked.version)
            progress(f"starting {asked}")
            return _settle(built, _describe(built, asked.name, known.wheel, prove))
        finally:
            shutil.rmtree(built, ignore_errors=True)


def _known(asked: Wanted) -> Entry:
    known = catalogue.known(asked.name) or catalogue.entry(asked.name)  # which says that there is none
    if not known.wheel:
        how = f"pip install 'lstmbench[{known.extra}]'" if known.extra else "it comes with its own package"
        raise RuntimeMissingError(f"runtime {asked.name!r} has no environment of its own: {how}")
    return known


def _stays(wheel: str, version: str) -> Environment | None:
    """The environment of this version, if it works and is what would be built again."""
    fitting = (one for one in place.find(wheel, version) if place.python(one).exists() and not moved(one))
    return next(fitting, None)


def _requirements(known: Entry, asked: Wanted) -> list[str]:
    wheels = known.beside if known.npm else (known.wheel, *known.beside)
    engine = [f"{wheel}=={asked.version}" if asked.version else wheel for wheel in wheels]
    libraries = known.libraries if nvidia.has_driver() else ()
    return [*engine, *libraries, *pins()]


def _describe(built: Path, runtime: str, wheel: str, prove: Prove) -> Environment:
    python, downloads = place.interpreter(built), tool.fetched(built)
    told, held = prove(runtime, python), tool.installed(python)
    packages = dict(sorted((held.packages | modules.held(built)).items()))
    of_wheel = next(version for name, version in packages.items() if _same(name, wheel))
    if told != of_wheel:
        raise RuntimeMissingError(f"{wheel} {of_wheel} was installed, and says that it is {told}: it is not kept")
    return Environment(
        wheel=wheel,
        version=of_wheel,
        python=held.python,
        packages=packages,
        size_bytes=_bytes_in(built),
        downloads=downloads,
    )


def _settle(built: Path, one: Environment) -> Environment:
    """Move it to its place; of two of one version the one that works there already stays."""
    there = place.folder(one)
    if found := _stays(one.wheel, one.version):
        return found
    disk.write_record(built / place.RECORD, one)
    if there.exists():
        place.discard(there)
    with disk.writing(there):
        built.rename(there)
    return one


def _sweep() -> None:
    """Remove what killed builds left; we hold the lock, so nobody is at work on them."""
    for left in place.root().glob(".*.tmp"):
        place.discard(left)


def _same(name: str, other: str) -> bool:
    """Whether two names are one package's to the index."""
    return name.lower().replace("_", "-") == other.lower().replace("_", "-")


def _bytes_in(folder: Path) -> int:
    # what is compiled as it is imported depends on what was imported
    return sum(path.lstat().st_size for path in folder.rglob("*") if path.suffix != ".pyc")
