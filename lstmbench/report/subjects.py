"""What every row says of its subject, in text that is safe to lay out."""

from collections.abc import Sequence
from typing import NamedTuple

from lstmbench.plain import plain
from lstmbench.records import Placement, Subject

_LONGEST_NAME = 300  # a folder's has 255 at most
NO_PROVIDERS = "built in"  # the engine has no such notion


class SubjectColumns(NamedTuple):
    """One export on one runtime, as tables name it."""

    model: str
    cell: str
    head: str
    form: str
    precision: str
    runtime: str
    version: str
    provider: str
    threads: int


def columns(subject: Subject) -> SubjectColumns:
    """The subject as plain text; names come from folders and third parties and may hold anything."""
    return SubjectColumns(
        model=_name(subject.model),
        cell=subject.peephole,
        head=subject.head,
        form=subject.form,
        precision=subject.precision,
        runtime=_name(subject.runtime),
        version=_name(subject.runtime_version),
        provider=provider(subject.placement),
        threads=subject.threads,
    )


def provider(placement: Sequence[Placement]) -> str:
    """Which provider ran how many nodes: 'CPUExecutionProvider (12 nodes)'."""
    nodes: dict[str, int] = {}
    for part in placement:
        nodes[part.provider] = nodes.get(part.provider, 0) + part.nodes
    parts = (f"{_name(name)} ({n} node{'s' * (n != 1)})" for name, n in sorted(nodes.items()))
    return ", ".join(parts) or NO_PROVIDERS


def _name(text: str) -> str:
    return plain(text if len(text) <= _LONGEST_NAME else f"{text[:_LONGEST_NAME]}…")
