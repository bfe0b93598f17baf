"""Files are whole or not there."""

import errno
import os
from pathlib import Path

import pytest

from lstmbench import disk
from lstmbench.errors import DiskError, RecordError
from lstmbench.records import Load, Score

SCORE = Score(nats=1.0, perplexity=2.7, bits_per_character=None, tokens=3)


def test_a_record_comes_back_as_it_was(tmp_path):
    disk.write_record(tmp_path / "score.json", SCORE)
    assert disk.read_record(tmp_path / "score.json", Score) == SCORE
    assert [p.name for p in tmp_path.iterdir()] == ["score.json"]


def test_a_full_disk_keeps_the_old_file_and_leaves_nothing_else(tmp_path, monkeypatch):
    path = tmp_path / "score.json"
    disk.write_record(path, SCORE)
    before = path.read_bytes()

    def full(_descriptor):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(DiskError, match="disk is full"):
        disk.write_atomically(path, b"new")
    assert path.read_bytes() == before
    assert len(list(tmp_path.iterdir())) == 1


def test_a_line_torn_by_a_kill_is_left_out_and_then_cut_off(tmp_path):
    path = tmp_path / "scores.jsonl"
    disk.append_record(path, SCORE)
    whole = path.read_bytes()
    path.write_bytes(whole + whole[:10])
    assert disk.read_journal(path, Score) == [SCORE]
    disk.append_record(path, SCORE)
    assert path.read_bytes() == whole * 2


def test_a_journal_that_is_not_there_is_empty(tmp_path):
    assert disk.read_journal(tmp_path / "none.jsonl", Score) == []


@pytest.mark.parametrize("content", [b"", b"{}", b"null", b'{"nats":1', b"[" * 100_000, b'{"nats":"x"}', b"\xff\xfe"])
def test_a_damaged_record_is_one_line(tmp_path, content):
    path = tmp_path / "score.json"
    path.write_bytes(content)
    with pytest.raises(RecordError, match="damaged") as caught:
        disk.read_record(path, Score)
    assert "\n" not in str(caught.value)


def test_a_record_of_another_kind_is_refused(tmp_path):
    disk.write_record(tmp_path / "score.json", SCORE)
    with pytest.raises(RecordError):
        disk.read_record(tmp_path / "score.json", Load)


def test_a_file_in_the_place_of_a_folder_is_one_line(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(DiskError, match="a file stands where a folder is needed"):
        disk.make_folder(tmp_path / "file")
    with pytest.raises(RecordError, match="cannot read"):
        disk.read_bytes(Path(tmp_path / "absent"))
