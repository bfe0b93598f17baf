"""What every row says of its subject, in text that is safe to lay out."""

from collections.abc import Sequence
from typing import NamedTuple, TypeAlias

from lstmbench.plain import plain
from lstmbench.records import Placement, Subject, Workload, labelled

_LONGEST_NAME = 300  # a folder's has 255 at most
NOT_MIXED = "no"
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
    ran_in: str  # precision in which recurrent nodes computed, as the engine tells it
    mixed: str  # the providers, beside the promised one, that ran nodes which compute; NOT_MIXED where there are none
    threads: int


# kind, B, T, new tokens, shortest row, region: how each line of a case begins
Key: TypeAlias = tuple[SubjectColumns, str, int, int, int | None, int | None, str]


def key(subject: Subject, workload: Workload) -> Key:
    """The first fields of every line that shows a workload of a subject."""
    work = workload
    return (columns(subject), work.kind, work.batch, work.time, work.new, work.shortest, work.region)


def columns(subject: Subject) -> SubjectColumns:
    """The subject as plain text; names come from folders and third parties and may hold anything."""
    return SubjectColumns(
        model=_name(subject.model),
        cell=subject.peephole,
        head=subject.head,
        form=subject.form,
        precision=subject.precision,
        runtime=_name(labelled(subject.runtime, subject.device)),
        version=_name(subject.runtime_version),
        provider=provider(subject.placement),
        ran_in=ran_in(subject.placement),
        mixed=plain(", ".join(subject.strays)) or NOT_MIXED,
        threads=subject.threads,
    )


def provider(placement: Sequence[Placement]) -> str:
    """Which provider ran how many nodes: 'CPUExecutionProvider (12 nodes)'."""
    nodes: dict[str, int] = {}
    for part in placement:
        nodes[part.provider] = nodes.get(part.provider, 0) + part.nodes
    parts = (f"{_name(name)} ({n} node{'s' * (n != 1)})" for name, n in sorted(nodes.items()))
    return ", ".join(parts) or NO_PROVIDERS


def ran_in(placement: Sequence[Placement]) -> str:
    """In which precisions the recurrent nodes computed: 'float32', 'float32, int8'; n/a where the engine is silent."""
    told = {plain(part.precision) for part in placement if part.recurrent and part.precision}
    return ", ".join(sorted(told)) or "n/a"


def _name(text: str) -> str:
    return plain(text if len(text) <= _LONGEST_NAME else f"{text[:_LONGEST_NAME]}…")
