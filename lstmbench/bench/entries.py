"""What takes part in a workload: each cleared subject, and one of them twice."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple, TypeAlias

from lstmbench.records import Clearance, Workload
from lstmbench.runtimes import from_checkpoint


class Entry(NamedTuple):
    """A subject, or the same once more under another name."""

    clearance: Clearance
    twin: bool = False


Grid: TypeAlias = Mapping[Workload, Sequence[Entry]]


def grid(clearances: Sequence[Clearance], workloads: Sequence[Workload], *, twins: bool) -> Grid:
    """Who takes part in which workload; a twin in each tells what difference is none (A/A)."""
    fitting = {w: [c for c in dict.fromkeys(clearances) if w.fits(c.exported)] for w in workloads}
    return {w: [*map(Entry, row), *(_twin(row) if twins else ())] for w, row in fitting.items()}


def _twin(row: Sequence[Clearance]) -> list[Entry]:
    """Of what runs an exported file, if anything does: that is what people compare."""
    passed = [clearance for clearance in row if clearance.passed]
    engines = [clearance for clearance in passed if not from_checkpoint(clearance.subject.runtime)]
    return [Entry(clearance, twin=True) for clearance in (engines or passed)[:1]]
