"""Which Python runs a runtime that was asked for: this one, or that of an environment."""

from pathlib import Path
from typing import NamedTuple

from lstmbench.environments import place
from lstmbench.environments.wanted import Wanted, wanted
from lstmbench.errors import RuntimeMissingError
from lstmbench.runtimes import GROUP, catalogue
from lstmbench.runtimes.ours import Entry


class Chosen(NamedTuple):
    """An adapter, and where it runs."""

    name: str  # as the catalogue knows it, or `module:Class`
    version: str = ""  # that was asked for; empty for any
    python: Path | None = None  # of its environment; None for our own


def demand(text: str, group: str = GROUP) -> None:
    """RuntimeMissingError, in one line, where a runtime that is asked for cannot be started here."""
    known = catalogue.entry(wanted(text).name, group)
    choose(text)
    catalogue.demand_machine(text, known)


def choose(text: str) -> Chosen:
    """Take this Python where it has what is asked for, else the newest environment that has.

    What the catalogue does not know is left to this Python, which says so.
    """
    asked = wanted(text)
    known = catalogue.known(asked.name)
    if known is None or (not asked.version and catalogue.is_here(known)):
        return Chosen(asked.name)
    if asked.version and asked.version == catalogue.own_version(known):
        return Chosen(*asked)
    found = place.find(known.wheel, asked.version) if known.wheel else ()
    if not found:
        raise RuntimeMissingError(_absent(asked, known))
    python = place.python(found[-1])
    if not python.exists():
        raise RuntimeMissingError(f"the Python under the environment of {asked} is gone: {_install(asked)}")
    return Chosen(*asked, python)


def _absent(asked: Wanted, known: Entry) -> str:
    if asked.version and not known.wheel:
        return f"runtime {asked.name!r} comes in no other version than the one here: ask for {asked.name}"
    extra = f"runtime {asked.name!r} needs the extra {known.extra!r}: pip install 'lstmbench[{known.extra}]'"
    if not known.wheel:
        return extra
    if known.extra and not asked.version:
        return f"{extra}, or {_install(asked)}"
    return f"runtime {str(asked)!r} is not here: {_install(asked)}"


def _install(asked: Wanted) -> str:
    return f"lstmbench runtimes install {asked}"
