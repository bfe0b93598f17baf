"""Every feature on every runtime; what was found stands on disk a row at a time."""

import tempfile
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TypeAlias

from lstmbench import environments, runfolder
from lstmbench.errors import RuntimeMissingError
from lstmbench.journal import Journal
from lstmbench.probe.examine import TIMEOUT_S, examine
from lstmbench.probe.features import Feature, features
from lstmbench.probe.question import Question, question
from lstmbench.records import Machine, ProbeRow
from lstmbench.runtimes import PROBES, available

Progress: TypeAlias = Callable[[str], None]


def probe(
    runtimes: Sequence[str] | None = None,
    *,
    run: Path,
    rows: Sequence[Feature] | None = None,
    timeout_s: float = TIMEOUT_S,
    progress: Progress,
) -> tuple[ProbeRow, ...]:
    """Ask each runtime, all that are here if none is named, for every feature -> the rows of these runtimes.

    Rows go to `probes.jsonl` in `run`; what was right there of the same version, code and question is not asked again.
    RuntimeMissingError where one that is named is not here; one that is here and cannot be loaded is a row.
    """
    names = tuple(dict.fromkeys(runtimes or available(PROBES)))
    _demand(names)
    questions = [question(feature) for feature in rows or features()]
    with runfolder.opened(run) as machine, tempfile.TemporaryDirectory() as folder:
        journal = Journal(run / runfolder.PROBES, ProbeRow, key=lambda row: (row.runtime, row.feature))
        for n, name in enumerate(names):
            asked = _Asked(name, Path(folder) / "probe.onnx", machine, timeout_s, named=bool(runtimes))
            for m, one in enumerate(questions, n * len(questions) + 1):
                progress(f"{m} of {len(names) * len(questions)}: {one.feature.name} on {name}")
                for row in asked.again(one, journal):
                    journal.put([row])
        return tuple(row for name in names for one in questions for row in journal.rows((name, one.feature.name)))


class _Asked:
    """One runtime; the first answer tells its version and code, and so what need not be asked again."""

    def __init__(self, name: str, path: Path, machine: Machine, timeout_s: float, *, named: bool) -> None:
        self._name, self._path, self._machine, self._timeout_s, self._named = name, path, machine, timeout_s, named
        self._first: ProbeRow | None = None

    def again(self, one: Question, journal: Journal[ProbeRow]) -> Iterator[ProbeRow]:
        """The row of a feature that must be asked for."""
        if self._first is None:
            self._first = self._ask(one)
            yield self._first
        elif not any(self._stands(row, one) for row in journal.rows((self._name, one.feature.name))):
            yield self._ask(one)

    def _stands(self, row: ProbeRow, one: Question) -> bool:
        assert self._first is not None
        same = (row.runtime_version, row.code_sha256) == (self._first.runtime_version, self._first.code_sha256)
        return same and row.finding == "right" and row.question_sha256 == one.sha256

    def _ask(self, one: Question) -> ProbeRow:
        try:
            return examine(one, self._name, self._path, self._machine, timeout_s=self._timeout_s)
        except RuntimeMissingError as error:
            if self._named and self._first is None:
                raise
            return ProbeRow(
                machine=self._machine.fingerprint,
                runtime=self._name,
                runtime_version="",
                code_sha256="",
                feature=one.feature.name,
                question_sha256=one.sha256,
                finding="refused",
                reason=str(error),
            )


def _demand(names: Sequence[str]) -> None:
    if not names:
        raise RuntimeMissingError("no runtime that runs any graph is here: pip install 'lstmbench[cpu]'")
    for name in names:
        environments.demand(name, PROBES)
