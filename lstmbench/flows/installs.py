"""What the install of a runtime takes on disk: its engine, with all that this requires."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from lstmbench import environments, runfolder
from lstmbench.environments import footprint, modules, place
from lstmbench.journal import Journal
from lstmbench.records import Clearance, Environment, Install
from lstmbench.runtimes import catalogue
from lstmbench.runtimes.ours import Entry

Held = Mapping[str, footprint.Package]


def keep_installs(clearances: Sequence[Clearance], run: Path) -> None:
    """A line of `installs.jsonl` for each runtime that answered; none of what no package brings."""
    journal = Journal(run / runfolder.INSTALLS, Install, key=lambda row: (row.runtime, row.runtime_version))
    subjects = (clearance.subject for clearance in clearances if clearance.passed)
    asked = dict.fromkeys((one.runtime, one.runtime_version, one.device) for one in subjects)
    held = footprint.packages()
    for runtime, version, device in asked:
        packages, size_bytes = _of(runtime, held)
        if packages:
            row = Install(runtime=runtime, runtime_version=version, device=device, packages=packages, bytes=size_bytes)
            if journal.rows((runtime, version)) != (row,):
                journal.put([row])


def _of(runtime: str, held: Held) -> tuple[tuple[str, ...], int]:
    asked = environments.wanted(runtime)
    known = catalogue.known(asked.name)
    if known is None:
        return (), 0
    apart = environments.choose(runtime).python is not None
    there = environments.find(known.wheel, asked.version)[-1] if apart else None
    packages, size_bytes = brought(known, there, held)
    return tuple(sorted(packages)), size_bytes


def brought(known: Entry, apart: Environment | None, held: Held) -> tuple[frozenset[str], int]:
    """The packages of an engine with all that it requires, in its environment or in this Python, and their bytes."""
    if known.npm and apart:
        return frozenset(modules.held(place.folder(apart))), modules.size_bytes(place.folder(apart))
    there = footprint.packages(environments.python(apart)) if apart else held
    names = footprint.needed(footprint.roots(known, here=apart is None), there)
    return names, sum(there[name].size_bytes for name in names)
