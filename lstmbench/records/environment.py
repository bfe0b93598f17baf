"""An environment of one engine, and what is known of every runtime."""

from typing import Literal

from lstmbench.records.base import Count, Record


class Environment(Record, frozen=True, kw_only=True):
    """`environment.json`: a Python of its own for one version of one engine; written last, so it marks a whole one."""

    schema: Literal["lstmbench.environment/1"] = "lstmbench.environment/1"
    wheel: str  # the engine's package, which may serve several runtimes
    version: str
    python: str  # "3.11.7"
    packages: dict[str, str]  # everything that is installed in it
    size_bytes: Count


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
