"""What is damaged, foreign or missing is said in one line; a torn last line is none of these."""

import msgspec
import pytest

from lstmbench import disk
from lstmbench.errors import RecordError
from lstmbench.report import raw, terminal_tables


@pytest.fixture
def run(make, tmp_path):
    of = make.subject()
    rows = [make.measured(of), make.measured(of, batch=8)]
    return make.write(tmp_path / "run", parity_rows=make.checked(of), measurements=rows)


def one_line(run):
    with pytest.raises(RecordError) as caught:
        raw.read(run)
    assert "\n" not in str(caught.value)
    return str(caught.value)


@pytest.mark.parametrize(
    ("name", "advice"),
    [
        ("machine.json", "make one with 'lstmbench run'"),
        ("parity.jsonl", "'lstmbench check'"),
        ("measurements.jsonl", "'lstmbench bench'"),
    ],
)
def test_a_missing_file_is_named_with_the_command_that_writes_it(run, name, advice):
    (run / name).unlink()
    message = one_line(run)
    assert name in message
    assert advice in message


def test_a_run_that_is_not_there_is_no_run(tmp_path):
    assert "is no run" in one_line(tmp_path / "nowhere")


def test_a_torn_last_line_is_left_out(run):
    path = run / "measurements.jsonl"
    path.write_bytes(path.read_bytes()[:-20])
    assert len(raw.read(run).measurements) == 1


@pytest.mark.parametrize("name", ["machine.json", "parity.jsonl", "measurements.jsonl"])
@pytest.mark.parametrize(
    "planted", [b"{}\n", b"\xff\xfe\n", b'{"schema": "other/9"}\n', b"not json\n", b"[" * 9999 + b"\n"]
)
def test_damage_is_one_line_that_names_the_file(run, name, planted):
    (run / name).write_bytes(planted)
    assert name in one_line(run)


def test_a_row_of_another_machine_is_foreign(make, run):
    foreign = msgspec.structs.replace(make.measured(make.subject()), machine="Other CPU x8, Linux")
    disk.append_record(run / "measurements.jsonl", foreign)
    message = one_line(run)
    assert "line 3" in message
    assert "Other CPU" in message


def test_a_number_beyond_floats_is_damage(run):
    path = run / "measurements.jsonl"
    path.write_bytes(path.read_bytes().replace(b'"load_s":0.25', b'"load_s":1e999'))
    assert "measurements.jsonl, line 1" in one_line(run)


def test_what_was_only_checked_has_a_parity_table_in_the_terminal(run):
    (run / "measurements.jsonl").unlink()
    (table,) = terminal_tables(run)
    assert table.title.startswith("Parity")
    assert len(table.rows) == 3
