"""Engines with a planted mistake, each in a process of its own: what becomes of their cells."""

import json

import pytest

from lstmbench import disk
from lstmbench.errors import RecordError, RuntimeMissingError
from lstmbench.probe import probe
from lstmbench.probe.features import features
from lstmbench.records import ProbeError, ProbeRow
from lstmbench.runfolder import PROBES

pytest.importorskip("onnxruntime")
ROWS = {row.name: row for row in features()}


def ask(tmp_path, runtime, *names, **options):
    said = []
    rows = probe([runtime], run=tmp_path, rows=[ROWS[name] for name in names], progress=said.append, **options)
    assert [row.feature for row in rows] == list(names)
    return rows


@pytest.mark.usefixtures("fakes")
@pytest.mark.parametrize(
    ("engine", "feature", "finding", "resembles", "reason"),
    [
        ("Engine", "P", "right", "", ""),
        ("DropsP", "P", "wrong", "without P", "off by"),
        ("ReadsPInTorchsOrder", "P", "wrong", "with P read as i, f, o", "off by"),
        ("FreezesT", "LSTM", "right", "", ""),
        (
            "FreezesT",
            "dynamic T",
            "wrong",
            "",
            "Y is float32 (4, 1, 3, 7), the operator gives float32 (7, 1, 3, 7) at B=3, T=7",
        ),
        ("GivesNaN", "LSTM", "wrong", "", "Y_c[0, 0, 0] is nan"),
        ("GivesDouble", "LSTM", "wrong", "", "Y is float64"),
        ("ForgetsAnOutput", "LSTM", "wrong", "", "Y_h is not given"),
        ("OffByAThousandth", "P", "wrong", "", "off by 1.0e-03"),
        ("Segfaults", "LSTM", "crashed", "", "crashed (SIGSEGV) while running"),
        ("AbortsAtLoad", "LSTM", "crashed", "", "crashed (SIGABRT) while loading"),
        ("CrashesAtTheSecondSize", "dynamic T", "crashed", "", "crashed (SIGSEGV) while running"),
        ("Refuses", "LSTM", "refused", "", "NotImplementedError: no kernel for LSTM(99)"),
    ],
)
def test_a_cell_says_what_became_of_it(tmp_path, engine, feature, finding, resembles, reason):
    (row,) = ask(tmp_path, f"planted:{engine}", feature)
    assert (row.finding, row.resembles) == (finding, resembles)
    assert reason in row.reason


@pytest.mark.usefixtures("fakes")
def test_a_hang_is_a_crash_by_time_limit(tmp_path):
    (row,) = ask(tmp_path, "planted:Hangs", "LSTM", timeout_s=4)
    assert row.finding == "crashed"
    assert "gave no answer within 4 s" in row.reason


@pytest.mark.usefixtures("fakes")
def test_what_was_answered_before_a_crash_is_kept(tmp_path):
    (row,) = ask(tmp_path, "planted:CrashesAtTheSecondSize", "dynamic T")
    assert [(error.time, error.passed) for error in row.errors] == [(4, True)] * 3
    assert row.runtime_version == "1.0"


def test_what_is_known_of_onnxruntime_is_found(tmp_path):
    found = ask(tmp_path, "onnxruntime-cpu", "P", "sequence_lens", "clip", "clip of C_t", "layout=1", "double")
    assert [row.finding for row in found] == ["right", "right", "right", "wrong", "refused", "refused"]
    assert found[3].resembles == "without clip on C_t"
    assert "Batchwise recurrent operations (layout == 1) are not supported" in found[4].reason
    assert "LSTM operator does not support double yet" in found[5].reason
    assert found[0].placement[0].provider == "CPUExecutionProvider"


def test_an_empty_batch_aborts_onnxruntime_and_nothing_else(tmp_path):
    found = ask(tmp_path, "onnxruntime-cpu", "B = 0", "T = 0", "row of length 0")
    assert [row.finding for row in found] == ["crashed", "wrong", "wrong"]
    assert "crashed (SIGABRT) while running" in found[0].reason
    assert found[2].resembles == "with zero states where no step is taken"


def test_what_the_reference_evaluator_ignores_is_found(tmp_path):
    names = ("LSTM", "sequence_lens", "clip", "input_forget", "activations")
    found = ask(tmp_path, "onnx-reference", *names)
    assert [(row.finding, row.resembles) for row in found] == [
        ("right", ""),
        ("wrong", "without sequence_lens"),
        ("wrong", "without clip"),
        ("wrong", "without input_forget"),
        ("wrong", "with the usual activations"),
    ]


@pytest.mark.usefixtures("fakes")
def test_a_second_call_asks_again_what_was_not_right_and_replaces_it(tmp_path):
    ask(tmp_path, "planted:DropsP", "LSTM", "initial states", "P")
    lines = (tmp_path / PROBES).read_text().splitlines()
    stamped = [json.loads(line) | {"machine": "of another day"} for line in lines]
    (tmp_path / PROBES).write_text("".join(json.dumps(one) + "\n" for one in stamped))
    again = ask(tmp_path, "planted:DropsP", "LSTM", "initial states", "P")
    # the first is asked to learn the version; the second was right and stands; the third was wrong
    assert [row.machine == "of another day" for row in again] == [False, True, False]
    assert len((tmp_path / PROBES).read_text().splitlines()) == 3


@pytest.mark.usefixtures("fakes")
def test_rows_of_several_runtimes_stand_side_by_side(tmp_path):
    ask(tmp_path, "planted:DropsP", "P")
    ask(tmp_path, "planted:Engine", "P")
    rows = disk.read_journal(tmp_path / PROBES, ProbeRow)
    assert {(row.runtime, row.finding) for row in rows} == {("planted:DropsP", "wrong"), ("planted:Engine", "right")}


@pytest.mark.parametrize(
    ("runtime", "message"),
    [
        ("tensorrt", "no runtime named 'tensorrt' that runs any graph; here: iree-cpu, mnn-cpu, onnx-reference"),
        ("nowhere:Engine", "runtime 'nowhere:Engine' .* cannot be imported"),
        ("planted:Nothing", "cannot be imported: AttributeError"),
        ("planted:replace", "is not one: it lacks graph|it is no class"),
    ],
)
@pytest.mark.usefixtures("fakes")
def test_a_runtime_that_is_named_and_not_here_is_an_error(tmp_path, runtime, message):
    with pytest.raises(RuntimeMissingError, match=message):
        ask(tmp_path, runtime, "LSTM")


@pytest.mark.usefixtures("fakes")
def test_a_plug_in_that_is_broken_is_a_row_where_none_is_named(tmp_path, monkeypatch):
    monkeypatch.setattr("lstmbench.probe.verb.available", lambda _group: ("nowhere:Engine", "planted:Engine"))
    found = probe(None, run=tmp_path, rows=[ROWS["LSTM"], ROWS["P"]], progress=print)
    assert [row.finding for row in found] == ["refused", "refused", "right", "right"]
    assert "cannot be imported" in found[0].reason


def test_a_damaged_journal_is_one_line(tmp_path):
    (tmp_path / PROBES).write_text('{"schema": "lstmbench.probe/9"}\n')
    with pytest.raises(RecordError, match=r"probes.jsonl, line 1 is damaged or was written by another version"):
        ask(tmp_path, "onnxruntime-cpu", "LSTM")


OFF = ProbeError(batch=1, time=1, output="Y", max_error=2.0, tolerance=1.0)
ROW = {
    "machine": "a",
    "runtime": "b",
    "runtime_version": "c",
    "code_sha256": "d",
    "feature": "P",
    "question_sha256": "e",
}


@pytest.mark.parametrize(
    "fields",
    [
        {"finding": "right", "errors": (OFF,)},
        {"finding": "right"},
        {"finding": "right", "errors": (OFF,), "reason": "off"},
        {"finding": "wrong", "errors": (OFF,)},
        {"finding": "refused", "reason": "no", "resembles": "without P"},
    ],
)
def test_a_row_that_contradicts_itself_cannot_be_made(fields):
    with pytest.raises(ValueError, match=r"right|wrong"):
        ProbeRow(**ROW, **fields)
