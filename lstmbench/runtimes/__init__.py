"""The contract, the catalogue, and one file an adapter; an adapter is imported only when it is asked for."""

from lstmbench.runtimes.catalogue import (
    GRAPHS,
    GROUP,
    PROBES,
    available,
    from_checkpoint,
    load,
    load_graphs,
    names,
    on_device,
)
from lstmbench.runtimes.code import digest
from lstmbench.runtimes.contract import (
    Carried,
    Carries,
    Draws,
    GraphSession,
    Held,
    Holds,
    RunsGraphs,
    Runtime,
    takes_lengths,
)

__all__ = [
    "GRAPHS",
    "GROUP",
    "PROBES",
    "Carried",
    "Carries",
    "Draws",
    "GraphSession",
    "Held",
    "Holds",
    "RunsGraphs",
    "Runtime",
    "available",
    "digest",
    "from_checkpoint",
    "load",
    "load_graphs",
    "names",
    "on_device",
    "takes_lengths",
]
