"""What `check --bisect` says of each subject: where it parts from the reference, a line each."""

from pathlib import Path
from typing import TYPE_CHECKING

from lstmbench.cli.screen import say, spinner

if TYPE_CHECKING:
    from lstmbench.check import CheckReport
    from lstmbench.records import Difference


def say_where(report: "CheckReport", run: Path) -> bool:
    """Search every subject and print what was found; whether no difference was."""
    from lstmbench.check import bisect

    with spinner() as progress:
        findings = bisect(report, run=run, progress=progress)
    for found in findings:
        calls = f"{found.probes} call{'s' * (found.probes != 1)}"
        say(f"{found.subject.model} on {found.subject.runtime}: {_place(found)}{found.words}{_values(found)} [{calls}]")
    return all(found.right for found in findings)


def _place(found: "Difference") -> str:
    layer = "" if found.layer is None else f"layer {found.layer}{', reverse' if found.reverse else ''}"
    gates = "" if not found.gates else f"gate{'s' * (len(found.gates) > 1)} {', '.join(found.gates)}"
    step = "" if found.step is None or found.part == "joining" else f"from step {found.step}"
    output = "output" if found.part == "output" else ""
    parts = ", ".join(part for part in (layer, output, gates, step) if part)
    return f"{parts}: " if parts else ""


def _values(found: "Difference") -> str:
    if found.want is None:
        return ""
    got = "not finite" if found.got is None else f"{found.got:.7g}"
    return f": {found.value} is {got}, want {found.want:.7g}, allowed {found.allowed:.1e}"
