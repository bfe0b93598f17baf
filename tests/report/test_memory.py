"""Memory stands beside the parity that vouches for it, or says why it is not there."""

import pytest

from lstmbench import disk
from lstmbench.errors import RecordError
from lstmbench.records import Weight
from lstmbench.report import raw
from lstmbench.report.memory import memory_lines
from lstmbench.report.speed import speed_lines

MIB = 2**20


def weight(make, of, row, **changes):
    sizes = {"file_bytes": 3 * MIB, "empty_bytes": 10 * MIB, "idle_bytes": 46 * MIB, "peak_bytes": 5 * MIB}
    return Weight(machine=make.machine().fingerprint, subject=of, workload=row.workload, **sizes | changes)


def test_sizes_are_over_the_empty_process_and_over_the_loaded_one(make):
    of = make.subject()
    row = make.measured(of)
    (line,) = memory_lines([weight(make, of, row)], speed_lines([row], make.vouching(make.checked(of), [row])))
    assert (line.file_mib, line.engine_mib, line.peak_mib) == (3, 36, 5)
    assert line.max_error is not None


def test_no_parity_no_number(make):
    of = make.subject()
    row = make.measured(of)
    bad = [make.parity(of, error=1.0, reason=make.out_of_bound), *make.checked(of)[1:]]
    (line,) = memory_lines([weight(make, of, row)], speed_lines([row], make.vouching(bad, [row])))
    assert line.refused
    assert (line.peak_mib, line.engine_mib) == (None, None)


def test_what_could_not_be_weighed_says_why(make):
    of = make.subject()
    row = make.measured(of)
    lost = weight(make, of, row, refused="it crashed", peak_bytes=0)
    (line,) = memory_lines([lost], speed_lines([row], make.vouching(make.checked(of), [row])))
    assert (line.refused, line.peak_mib) == ("it crashed", None)


def test_the_page_has_it_and_another_machines_rows_are_refused(make, tmp_path):
    from lstmbench.report import render

    of = make.subject()
    row = make.measured(of)
    run = make.write(tmp_path / "run", parity_rows=make.checked(of), measurements=[row])
    disk.append_record(run / "memory.jsonl", weight(make, of, row))
    render(run)
    assert "| 3.00 | n/a | 36.0 | 5.00 |" in (run / "report.md").read_text()
    disk.append_record(run / "memory.jsonl", Weight(machine="another", subject=of, workload=row.workload, file_bytes=1))
    with pytest.raises(RecordError, match=r"memory.jsonl, line 2 was measured on 'another'"):
        raw.read(run)
