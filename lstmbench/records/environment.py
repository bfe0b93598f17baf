"""An environment of one engine, and what is known of every runtime."""

from typing import Literal

import msgspec

from lstmbench.records.base import Count, Record, Seconds
from lstmbench.records.bench import Machine


class Environment(Record, frozen=True, kw_only=True):
    """`environment.json`: a Python of its own for one version of one engine; written last, so it marks a whole one."""

    schema: Literal["lstmbench.environment/1"] = "lstmbench.environment/1"
    wheel: str  # the engine's package, which may serve several runtimes
    version: str
    python: str  # "3.11.7"
    packages: dict[str, str]  # everything that is installed in it
    size_bytes: Count
    # bytes of the file of each package; empty where its builder does not tell
    downloads: dict[str, Count] = msgspec.field(default_factory=dict)


class RuntimeState(Record, frozen=True, kw_only=True):
    """One runtime in one place: here, in an environment, or nowhere yet."""

    runtime: str
    needs: str
    where: Literal["here", "environment", "nowhere"]
    version: str = ""  # as its own process tells it
    offers: tuple[str, ...] = ()  # providers that the engine was built with, which proves nothing of the machine
    device: str = ""  # that it computes on, where its name says something else
    refused: str = ""  # why it cannot be used, and what mends that; empty where it can
    behind: str = ""  # what in its environment is of another version than here, and what mends that
    probe_only: bool = False  # it is asked for its answers alone
    size_bytes: Count | None = None  # of its environment
    start_s: float | None = None  # until its process had imported the engine


class ColdStart(Record, frozen=True, kw_only=True):
    """A process from nothing to the first answer of its engine."""

    spawn_s: Seconds  # until it took requests: the interpreter, NumPy and this package
    load_s: Seconds  # the engine is imported, and has read and built one small graph
    first_call_s: Seconds


class RuntimeCost(Record, frozen=True, kw_only=True):
    """A line of `lstmbench runtimes --cost --json`: what one runtime costs before it is of any use."""

    schema: Literal["lstmbench.cost/1"] = "lstmbench.cost/1"
    machine: Machine
    runtime: str
    version: str
    device: str = ""  # that it computes on, where its name says something else
    where: Literal["here", "environment"]
    packages: tuple[str, ...]  # the engine's, and all that it requires
    install_bytes: Count | None  # of these packages on disk; absent where no package brings it
    download_bytes: Count | None  # of their files from the index; absent where it is not known
    environment_bytes: Count | None  # of all in its environment, with what a worker needs besides
    starts: tuple[ColdStart, ...]  # of processes one after the other, in turn with those of other runtimes
    refused: str = ""  # why it bears no time
