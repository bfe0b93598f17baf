"""The contract, the catalogue, and one file an adapter; an adapter is imported only when it is asked for."""

from lstmbench.runtimes.catalogue import FROM_CHECKPOINT, available, load, names
from lstmbench.runtimes.code import digest
from lstmbench.runtimes.contract import Draws, Runtime, takes_lengths

__all__ = ["FROM_CHECKPOINT", "Draws", "Runtime", "available", "digest", "load", "names", "takes_lengths"]
