"""One machine, one writer at a time."""

import fcntl
import subprocess
import sys

import msgspec
import pytest

from lstmbench import disk, machine, runfolder
from lstmbench.errors import DiskError, RecordError
from lstmbench.records import Machine, Measurement, Subject, Workload


def measured_on(fingerprint: str) -> Measurement:
    subject = Subject(
        model="m/scan-fp32",
        model_sha256="0" * 64,
        head="lm",
        peephole="full",
        form="scan",
        precision="fp32",
        runtime="numpy",
        runtime_version="2",
        code_sha256="cd" * 32,
        threads=1,
    )
    work = Workload(kind="score", batch=1, time=1)
    return Measurement(machine=fingerprint, subject=subject, workload=work, process=0, timing=None, refused="no reason")


def test_the_machine_is_written_at_the_start_and_completed_at_the_end(tmp_path):
    path = tmp_path / "run" / runfolder.MACHINE
    with runfolder.opened(tmp_path / "run") as here:
        assert disk.read_record(path, Machine) == here
        assert here.after is None
    assert disk.read_record(path, Machine).after is not None
    assert [file.name for file in path.parent.iterdir()] == [runfolder.MACHINE]


def test_the_machine_is_completed_also_when_the_run_is_interrupted(tmp_path):
    with pytest.raises(KeyboardInterrupt), runfolder.opened(tmp_path):
        raise KeyboardInterrupt
    assert disk.read_record(tmp_path / runfolder.MACHINE, Machine).after is not None


def test_a_run_that_goes_on_keeps_the_load_that_was_there_when_it_began(tmp_path):
    with runfolder.opened(tmp_path) as here:
        began = msgspec.structs.replace(here.before, load_average=(9.0, 9.0, 9.0))
    disk.write_record(tmp_path / runfolder.MACHINE, msgspec.structs.replace(here, before=began))
    with runfolder.opened(tmp_path) as again:
        assert again.before != began
    assert disk.read_record(tmp_path / runfolder.MACHINE, Machine).before == began


def test_a_folder_of_another_machine_is_refused_and_left_alone(tmp_path):
    other = msgspec.structs.replace(machine.observe(), cpu="Z80")
    disk.write_record(tmp_path / runfolder.MACHINE, other)
    with pytest.raises(RecordError, match=r"another machine \(Z80 x.*choose another"), runfolder.opened(tmp_path):
        pass
    assert disk.read_record(tmp_path / runfolder.MACHINE, Machine) == other


def test_rows_of_another_machine_are_enough_to_refuse(tmp_path):
    disk.append_record(tmp_path / runfolder.MEASUREMENTS, measured_on("Z80 x1, CP/M"))
    with pytest.raises(RecordError, match="another machine"), runfolder.opened(tmp_path):
        pass
    assert not (tmp_path / runfolder.MACHINE).exists()


def test_a_second_writer_is_refused_while_the_first_is_there_and_then_let_in(tmp_path):
    code = (
        "import sys, pathlib; from lstmbench import runfolder; runfolder.opened(pathlib.Path(sys.argv[1])).__enter__()"
    )
    with runfolder.opened(tmp_path):
        with pytest.raises(DiskError, match=r"another lstmbench writes into .*: wait for it or choose another"):
            runfolder.opened(tmp_path).__enter__()
        other = subprocess.run([sys.executable, "-c", code, tmp_path], check=False, capture_output=True, text=True)
        assert "another lstmbench writes into" in other.stderr
    with runfolder.opened(tmp_path):
        pass


def test_a_lock_that_a_killed_writer_left_behind_holds_nobody_up(tmp_path):
    (tmp_path / ".lock").touch()
    with runfolder.opened(tmp_path):
        pass


@pytest.mark.parametrize("again", [True, False], ids=["taken anew", "gone"])
def test_a_lock_that_its_holder_takes_away_just_then_is_not_mistaken_for_ours(tmp_path, monkeypatch, again):
    flock, swaps = fcntl.flock, iter([True])

    def leave_first(descriptor: int, how: int) -> None:
        if next(swaps, False):
            (tmp_path / ".lock").unlink()
            if again:
                (tmp_path / ".lock").touch()
        flock(descriptor, how)

    monkeypatch.setattr(fcntl, "flock", leave_first)
    with runfolder.opened(tmp_path), pytest.raises(DiskError, match="another lstmbench"):
        runfolder.opened(tmp_path).__enter__()


def test_a_file_where_the_folder_should_be_is_one_line(tmp_path):
    (tmp_path / "run").touch()
    with pytest.raises(DiskError, match="a file stands where a folder is needed"), runfolder.opened(tmp_path / "run"):
        pass
