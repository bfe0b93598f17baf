"""A journal on disk that holds one entry a case: a killed run goes on, and what is done again is replaced."""

from collections.abc import Callable, Hashable, Iterator, Sequence
from pathlib import Path
from typing import Generic, TypeVar

from lstmbench import disk
from lstmbench.records import Record

R = TypeVar("R", bound=Record)


class Journal(Generic[R]):
    """The rows of a `.jsonl` file by case; a case may have several rows, and each change is on disk at once."""

    def __init__(self, path: Path, kind: type[R], *, key: Callable[[R], Hashable]) -> None:
        self._path, self._key = path, key
        self._cases: dict[Hashable, list[R]] = {}
        for row in disk.read_journal(path, kind):
            self._cases.setdefault(key(row), []).append(row)

    def __iter__(self) -> Iterator[R]:
        for rows in self._cases.values():
            yield from rows

    def rows(self, case: Hashable) -> tuple[R, ...]:
        """What is known of one case; nothing if it was not reached."""
        return tuple(self._cases.get(case, ()))

    def put(self, rows: Sequence[R]) -> None:
        """Append the rows of one case, or replace those that it had."""
        case = self._key(rows[0])
        assert all(self._key(row) == case for row in rows), "rows of one case share its key"
        known = case in self._cases
        self._cases[case] = list(rows)
        if known:
            disk.write_journal(self._path, list(self))
            return
        for row in rows:
            disk.append_record(self._path, row)

    def drop(self, stale: Callable[[R], bool]) -> None:
        """Forget rows that something else took the place of."""
        kept = {case: [row for row in rows if not stale(row)] for case, rows in self._cases.items()}
        if kept != self._cases:
            self._cases = {case: rows for case, rows in kept.items() if rows}
            disk.write_journal(self._path, list(self))
