"""What an engine brings with it: the packages that it requires, and what they take on disk."""

import json
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from importlib.metadata import packages_distributions
from pathlib import Path
from typing import NamedTuple

from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name

from lstmbench.environments import tool
from lstmbench.environments.choose import choose
from lstmbench.runtimes import catalogue
from lstmbench.runtimes.catalogue import own_version
from lstmbench.runtimes.ours import Entry

# what is compiled as it is imported depends on what was imported
_TELL = """
import importlib.metadata, json, os
def size_bytes(one):
    files = [one.locate_file(file) for file in one.files or () if file.suffix != ".pyc"]
    return sum(os.lstat(file).st_size for file in files if os.path.lexists(file))
print(json.dumps([[d.metadata["Name"], d.requires or [], size_bytes(d)] for d in importlib.metadata.distributions()]))
"""


class Package(NamedTuple):
    """One that is installed."""

    requires: tuple[str, ...]
    size_bytes: int


def packages(python: Path | None = None) -> dict[str, Package]:
    """Every package of this Python, or of another, under the name that the index knows it by."""
    found = json.loads(tool.run([str(python or sys.executable), "-I", "-c", _TELL]))
    return {canonicalize_name(name): Package(tuple(requires), size) for name, requires, size in found}


def roots(known: Entry, *, here: bool) -> tuple[str, ...]:
    """What is asked of the index for an engine; of one that is here, what its module came with."""
    if not here or own_version(known):
        return (known.wheel, *known.beside)
    return tuple(packages_distributions().get(known.package.partition(".")[0], ())[:1])


def needed(asked: Sequence[str], held: Mapping[str, Package]) -> frozenset[str]:
    """These requirements and all that they require in turn, as far as it is installed."""
    names, seen, open_ = set[str](), set[str](), list(asked)
    while open_:
        text = open_.pop()
        if text in seen:
            continue
        seen.add(text)
        one = Requirement(text)
        if (name := canonicalize_name(one.name)) in held:
            names.add(name)
            open_.extend(_required(one, held[name]))
    return frozenset(names)


def install_bytes(asked: str) -> int | None:
    """On disk, of the packages of `NAME` or `NAME==VERSION`; None where no package that is known brings it."""
    chosen = choose(asked)
    known = catalogue.known(chosen.name)
    if known is None:
        return None
    held = packages(chosen.python)
    return size_bytes(needed(roots(known, here=chosen.python is None), held), held)


def size_bytes(names: Iterable[str], held: Mapping[str, Package]) -> int | None:
    """Of so many packages; None of none."""
    return sum(held[name].size_bytes for name in names) or None


def _required(one: Requirement, package: Package) -> Iterator[str]:
    """What it requires on this machine with the extras that are asked for."""
    for text in package.requires:
        try:
            marker = Requirement(text).marker
        except InvalidRequirement:  # an old package may say anything
            continue
        if marker is None or any(marker.evaluate({"extra": extra}) for extra in ("", *one.extras)):
            yield text
