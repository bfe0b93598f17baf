"""Where a graph carries its state from one call to the next, and along which axes it runs; as `inspect` reads it."""

from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import NamedTuple, TypeAlias

_NONE: Mapping[str, int] = MappingProxyType({})


class Carried(NamedTuple):
    """What is known of a graph's states and of its time; names are the graph's own."""

    states: tuple[tuple[str, str], ...] = ()  # an input, and the output that hands it on
    time: Mapping[str, int] = _NONE  # of each input that has T: its axis
    outputs: Mapping[str, int] = _NONE  # of each output that has a step for a step: the axis of T
    optional: tuple[str, ...] = ()  # states that the file has a value for, if they are not given
    uncut: str = ""  # why a sequence cannot be cut into calls; empty where it can


Recognise: TypeAlias = Callable[[Path], Carried]


def unrecognised(path: Path) -> Carried:
    """Of a file that nobody looked into."""
    del path
    return Carried(uncut="its states were not looked for")
