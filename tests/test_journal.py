"""One entry a case, on disk at once."""

import pytest

from lstmbench import disk
from lstmbench.journal import Journal
from lstmbench.records import Workload


def row(batch: int, time: int) -> Workload:
    return Workload(kind="score", batch=batch, time=time)


@pytest.fixture
def path(tmp_path):
    return tmp_path / "rows.jsonl"


def reopened(path) -> "Journal[Workload]":
    return Journal(path, Workload, key=lambda each: each.batch)


def test_rows_are_on_disk_as_soon_as_they_are_put_and_found_by_their_case(path):
    journal = reopened(path)
    journal.put([row(1, 2), row(1, 3)])
    journal.put([row(2, 2)])
    assert disk.read_journal(path, Workload) == [row(1, 2), row(1, 3), row(2, 2)]
    assert reopened(path).rows(1) == (row(1, 2), row(1, 3))
    assert reopened(path).rows(3) == ()


def test_a_case_that_is_put_again_takes_the_place_of_the_earlier_one(path):
    journal = reopened(path)
    journal.put([row(1, 2), row(1, 3)])
    journal.put([row(2, 2)])
    journal.put([row(1, 9)])
    assert disk.read_journal(path, Workload) == list(journal) == [row(1, 9), row(2, 2)]


def test_dropped_rows_are_gone_and_where_none_is_stale_nothing_is_written(path):
    journal = reopened(path)
    journal.drop(lambda _: True)
    assert not path.exists()
    journal.put([row(1, 2)])
    journal.put([row(2, 2)])
    journal.drop(lambda stale: stale == row(1, 2))
    assert disk.read_journal(path, Workload) == list(reopened(path)) == [row(2, 2)]


def test_a_row_torn_by_a_kill_is_as_if_it_was_never_reached(path):
    reopened(path).put([row(1, 2), row(2, 2)][:1])
    path.write_bytes(path.read_bytes() + b'{"kind":"sco')
    journal = reopened(path)
    assert list(journal) == [row(1, 2)]
    journal.put([row(3, 3)])
    assert disk.read_journal(path, Workload) == [row(1, 2), row(3, 3)]
