"""Only ordinary files of a folder are read, none larger than it may be; only files of ours are written."""

import os

import pytest

from lstmbench import disk
from lstmbench.errors import DiskError, RecordError
from lstmbench.ordinary import opened
from lstmbench.records import Score

SCORE = Score(nats=1.5, perplexity=4.5, bits_per_character=None, tokens=10)


@pytest.fixture
def here(tmp_path):
    """A folder, with a secret beside it."""
    (tmp_path / "secret").write_bytes(b"one line that does not end")
    (tmp_path / "here").mkdir()
    return tmp_path / "here"


def read(path, **how):
    with opened(path, **{"most_bytes": 100} | how) as file:
        return file.read()


def test_a_link_is_followed_within_its_folder_alone(here):
    (here / "file").write_bytes(b"x")
    (here / "near").symlink_to("file")
    (here / "far").symlink_to("../secret")
    (here / "round").symlink_to("round")
    assert read(here / "near") == b"x"
    for name, why in (("far", "is a link that leaves its folder"), ("round", "is a link that leaves|cannot read ")):
        with pytest.raises(RecordError, match=why):
            read(here / name)
    assert read(here / "far", named=True).startswith(b"one line")  # whoever names a link means it


def test_a_folder_that_is_a_link_itself_is_one(here):
    (here / "file").write_bytes(b"x")
    (here.parent / "alias").symlink_to("here")
    assert read(here.parent / "alias" / "file") == b"x"


@pytest.mark.parametrize("named", [False, True])
def test_a_pipe_and_a_device_are_never_waited_for(here, named):
    os.mkfifo(here / "pipe")
    (here / "device").symlink_to("/dev/zero")
    with pytest.raises(RecordError, match="is no ordinary file"):
        read(here / "pipe", named=named)
    with pytest.raises(RecordError, match="no ordinary file" if named else "leaves its folder"):
        read(here / "device", named=named)
    with pytest.raises(RecordError, match="it is a folder"):
        read(here, named=named)


def test_a_file_of_a_hundred_gigabytes_is_refused_before_it_is_read(here):
    (here / "vast").touch()
    os.truncate(here / "vast", 100 * 2**30)
    for reader in (disk.read_bytes, lambda path: disk.read_journal(path, Score), read):
        with pytest.raises(RecordError, match=r"holds 107,374,182,400 bytes: such a file has at most"):
            reader(here / "vast")
    with pytest.raises(RecordError, match="at most 5"):
        disk.sha256(here / "vast", most_bytes=5)


def test_a_line_that_does_not_end_is_refused_and_a_torn_one_is_not(here, monkeypatch):
    monkeypatch.setattr(disk, "RECORD_BYTES", 200)
    disk.append_record(here / "rows", SCORE)
    whole = (here / "rows").read_bytes()
    (here / "rows").write_bytes(whole + b"x" * 199)
    assert disk.read_journal(here / "rows", Score) == [SCORE]
    (here / "rows").write_bytes(whole + b"x" * 200)
    with pytest.raises(RecordError, match="does not end"):
        disk.read_journal(here / "rows", Score)


def test_nothing_is_appended_through_a_link_or_into_a_pipe(here):
    for name, target in (("old", "../secret"), ("new", "../made")):
        (here / name).symlink_to(target)
        with pytest.raises(DiskError, match="it is a link"):
            disk.append_record(here / name, SCORE)
    assert (here.parent / "secret").read_bytes() == b"one line that does not end"
    assert not (here.parent / "made").exists()
    os.mkfifo(here / "pipe")
    with pytest.raises(DiskError, match="cannot write"):
        disk.append_record(here / "pipe", SCORE)


def test_a_draft_that_was_laid_as_a_link_is_not_written_through(here):
    draft = here / f".record.json.{os.getpid()}.tmp"
    draft.symlink_to("../secret")
    disk.write_record(here / "record.json", SCORE)
    assert disk.read_record(here / "record.json", Score) == SCORE
    assert (here.parent / "secret").read_bytes() == b"one line that does not end"


def test_a_record_replaces_a_link_and_not_what_it_leads_to(here):
    (here / "record.json").symlink_to("../secret")
    disk.write_record(here / "record.json", SCORE)
    assert not (here / "record.json").is_symlink()
    assert (here.parent / "secret").read_bytes() == b"one line that does not end"


def test_a_lock_that_is_a_link_makes_no_file_elsewhere(here):
    (here / ".lock").symlink_to("../made")
    with pytest.raises(DiskError, match="it is a link"), disk.locked(here):
        pass
    assert not (here.parent / "made").exists()
