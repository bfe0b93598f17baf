"""The contract, the catalogue, and one file an adapter; an adapter is imported only when it is asked for."""

from lstmbench.runtimes.catalogue import GRAPHS, GROUP, PROBES, available, from_checkpoint, load, load_graphs, names
from lstmbench.runtimes.code import digest
from lstmbench.runtimes.contract import Draws, GraphSession, RunsGraphs, Runtime, takes_lengths

__all__ = [
    "GRAPHS",
    "GROUP",
    "PROBES",
    "Draws",
    "GraphSession",
    "RunsGraphs",
    "Runtime",
    "available",
    "digest",
    "from_checkpoint",
    "load",
    "load_graphs",
    "names",
    "takes_lengths",
]
