"""How charts look: one colour a runtime, one dash and shape a cell, and names that tell the series apart."""

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from lstmbench.report import wording
from lstmbench.report.subjects import SubjectColumns

INK, MUTED, GRID, PAPER = "#1f2328", "#59636e", "#dfe3e8", "#ffffff"

# told apart with any colour vision (blue, orange, grey first), and at least 4.5:1 on white; page.css has their
# counterparts on dark
_FIXED = {"onnxruntime-cpu": "#0067a8", "torch": "#bf4d00", "numpy": "#6b7280"}
_FURTHER = (
    *("#007a5a", "#a3409b", "#7d6200", "#4b45b5", "#a52a3c"),
    *("#5a7a00", "#8a4b2a", "#006d75", "#b3007d", "#37474f"),
)

CELLS = ("full", "diagonal", "none")
DASHES = ([1, 0], [6, 3], [2, 2])
SHAPES = ("circle", "diamond", "square")


class Look(NamedTuple):
    """Colours by runtime, names by subject; the same in every chart of a report."""

    colours: Mapping[str, str]
    names: Mapping[SubjectColumns, str]


def look(subjects: Iterable[SubjectColumns]) -> Look:
    """Decide on colours and names from all that is in the report."""
    everything = sorted(set(subjects))
    names = {subject: _name(subject, everything) for subject in everything}
    return Look(_colours({subject.runtime for subject in everything}), names)


def _colours(runtimes: Iterable[str]) -> dict[str, str]:
    names = sorted(runtimes)
    further = [name for name in names if name not in _FIXED]
    return {name: _FIXED.get(name) or _FURTHER[further.index(name) % len(_FURTHER)] for name in names}


def _name(subject: SubjectColumns, everything: Iterable[SubjectColumns]) -> str:
    """Runtime and cell; where that fits several: what differs of the export, the version, the threads."""
    alike = [other for other in everything if (other.runtime, other.cell) == (subject.runtime, subject.cell)]
    parts = [subject.runtime + wording.mixed(subject), _export(subject, alike)]
    if len({other.version for other in alike}) > 1:
        parts[0] = wording.engine(subject)
    if len({other.threads for other in alike}) > 1:
        parts.append(wording.several(subject.threads, "thread"))
    return " · ".join(parts)


def _export(subject: SubjectColumns, alike: Sequence[SubjectColumns]) -> str:
    """The shortest of the ways to name an export that tells all of these apart."""
    exports = {wording.export(other) for other in alike}
    ways = (
        lambda s: s.cell,
        lambda s: f"{s.cell} {s.precision}",
        lambda s: f"{s.cell} {s.form}",
        lambda s: f"{s.cell} {s.form}-{s.precision}",
    )
    return next((way(subject) for way in ways if len({way(o) for o in alike}) == len(exports)), wording.export(subject))
