"""Keep, beside what was timed, how large each engine is that it takes."""

from collections.abc import Callable, Sequence
from pathlib import Path

from lstmbench import runfolder
from lstmbench.environments import footprint
from lstmbench.journal import Journal
from lstmbench.records import Clearance, Install


def keep_installs(clearances: Sequence[Clearance], run: Path, progress: Callable[[str], None]) -> None:
    """A line of `installs.jsonl` for each runtime and version that passed; none where no package brings it."""
    with runfolder.opened(run):
        journal = Journal(run / runfolder.INSTALLS, Install, key=lambda row: (row.runtime, row.version))
        passed = [clearance.subject for clearance in clearances if clearance.passed]
        for runtime, version in dict.fromkeys((subject.runtime, subject.runtime_version) for subject in passed):
            progress(f"weighing what {runtime} takes on disk")
            size_bytes = footprint.install_bytes(runtime)
            if size_bytes is not None:
                row = Install(runtime=runtime, version=version, install_bytes=size_bytes)
                if journal.rows((runtime, version)) != (row,):
                    journal.put([row])
