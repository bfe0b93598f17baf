"""The matrix in the terminal, in Markdown and on the page: each finding as it is, and no cell blank."""

import pytest
from msgspec.structs import replace

from lstmbench import disk
from lstmbench.cli.layout import lay_out
from lstmbench.errors import RecordError
from lstmbench.records import MistakeRow, ProbeError, ProbeRow, Survey
from lstmbench.report import PROBE, probe_reasons, probe_tables, render, render_probes, render_survey, survey_tables
from lstmbench.runfolder import MACHINE, PROBES

HERE = "Test CPU x2, Linux 6.1"  # of the machine that conftest makes
SAID = "runtime 'other-npu' failed while loading probe.onnx: no kernel for <b>LSTM</b> | layout=1"
DIED = "runtime 'other-npu' crashed (SIGSEGV) while running probe.onnx (X (4, 3, 5)): bad | pointer"


def error(off, allowed=1e-6):
    return ProbeError(batch=3, time=4, output="Y_c", max_error=off, tolerance=allowed)


def row(runtime, feature, finding="right", **fields):
    fields = {"errors": (error(1.25e-7), error(5e-8))} | fields if finding == "right" else fields
    version = fields.pop("version", "1.2.3")
    known = {"machine": HERE, "runtime_version": version, "code_sha256": "ab", "question_sha256": "cd"}
    return ProbeRow(runtime=runtime, feature=feature, finding=finding, **known, **fields)


def rows():
    wrong = {"errors": (error(0.25), error(None)), "reason": "Y_c[0] is nan"}
    return [
        row("engine-cpu", "LSTM"),
        row("engine-cpu", "P", "wrong", errors=(error(0.5),), reason="Y_c[0] is 1", resembles="without P"),
        row("engine-cpu", "layout=1", "wrong", **wrong),
        row("other-npu", "LSTM", "crashed", version="", reason=DIED),
        row("other-npu", "P", "crashed", version="", reason=DIED.replace("(4, 3, 5)", "(9, 9, 9)")),
        row("other-npu", "layout=1", "refused", reason=SAID),
        row("third", "LSTM"),
    ]


@pytest.fixture
def run(make, tmp_path):
    disk.write_record(tmp_path / MACHINE, make.machine())
    disk.write_journal(tmp_path / PROBES, rows())
    return tmp_path


def test_a_mark_says_right_wrong_refused_or_crashed_and_what_is_behind_it_stands_below(run):
    counts, marks = probe_tables(run)
    assert counts.columns == ("Runtime", "right", "wrong", "refused", "crashed")
    assert counts.rows == [
        ("1 engine-cpu 1.2.3", "1", "2", "0", "0"),
        ("2 other-npu 1.2.3", "0", "0", "1", "2"),
        ("3 third 1.2.3", "1", "0", "0", "0"),
    ]
    assert marks.title == "+ right, X wrong, - refused, ! crashed"
    assert marks.columns == ("Feature", "1", "2", "3")
    assert marks.rows == [("LSTM", "+", "!", "+"), ("P", "X", "!", " "), ("layout=1", "X", "-", " ")]
    wrong, reasons = probe_reasons(run)
    assert wrong.rows == [("engine-cpu", "without P", "P (5.0e-1)")]
    assert [line[:3] for line in reasons.rows] == [
        ("engine-cpu", "wrong", "layout=1"),
        ("other-npu", "crashed", "LSTM"),
        ("other-npu", "crashed", "P"),
        ("other-npu", "refused", "layout=1"),
    ]


def test_twelve_runtimes_fit_a_terminal_of_100_columns(run):
    many = [row(f"engine-{n}", "bidirectional, sequence_lens, P") for n in range(12)]
    disk.write_journal(run / PROBES, many)
    _, marks = probe_tables(run)
    assert max(map(len, lay_out(marks.columns, marks.rows, left=1, width=100))) <= 100
    assert len(lay_out(marks.columns, marks.rows, left=1, width=100)) == 3


def test_what_was_not_asked_of_a_runtime_is_told_from_what_it_cannot_do(run):
    disk.write_journal(run / PROBES, [row("a", "LSTM"), row("b", "P")])
    assert probe_tables(run)[1].rows == [("LSTM", "+", " "), ("P", " ", "+")]
    assert probe_reasons(run) == []
    assert "| LSTM | right 1.2e-7 | n/a |" in render_probes(run).read_text()


def test_only_the_runtimes_that_are_meant_are_shown(run):
    counts, _ = probe_tables(run, ["third"])
    assert [line[0] for line in counts.rows] == ["1 third 1.2.3"]
    assert probe_reasons(run, ["third"]) == []


def test_messages_that_are_the_same_are_one_line_with_all_their_features(run):
    said = [
        row("e", feature, "refused", reason=f"runtime 'e' failed while running p ({feature}): no") for feature in "ab"
    ]
    disk.write_journal(run / PROBES, said)
    *_, reasons = probe_reasons(run)
    assert reasons.rows == [("e", "refused", "a; b", "failed while running p: no")]


def test_a_long_reason_shows_how_it_begins_and_ends(run):
    disk.write_journal(run / PROBES, [row("e", "a", "refused", reason="begin " + "stack of calls " * 90 + "end")])
    *_, reasons = probe_reasons(run)
    shown = reasons.rows[0][-1]
    assert shown.startswith("begin ") and shown.endswith(" end") and " … " in shown and len(shown) < 250  # noqa: PT018


def test_markdown_has_the_matrix_the_reasons_and_the_words(run):
    path = render_probes(run)
    text = path.read_text()
    assert path.name == PROBE
    assert "| P | wrong 5.0e-1 | crashed | n/a |" in text
    assert "| engine-cpu | without P | P (5.0e-1) |" in text
    assert r"no kernel for \<b\>LSTM\</b\> \| layout=1" in text
    for word in ("Right", "Wrong", "Refused", "Crashed", "Tolerance"):
        assert f"- **{word}**: " in text
    assert "Test CPU" in text


def test_the_same_bytes_from_the_same_rows(run):
    assert render_probes(run).read_bytes() == render_probes(run).read_bytes()


def test_no_probes_are_one_line(run):
    (run / PROBES).unlink()
    with pytest.raises(RecordError, match=r"holds no whole line of probes.jsonl yet; probe with 'lstmbench probe'"):
        probe_tables(run)


def test_the_page_of_a_run_has_the_matrix_where_it_was_probed(make, tmp_path):
    run = make.write(tmp_path / "run", **make.whole())
    render(run)
    assert 'id="probe"' not in (run / "index.html").read_text()
    assert "probes.jsonl" not in (run / "index.html").read_text()
    disk.write_journal(run / PROBES, rows())
    render(run)
    page, text = (run / "index.html").read_text(), (run / "report.md").read_text()
    assert 'id="probe"' in page
    assert '<td class="verdict bad">wrong 5.0e-1</td>' in page
    assert '<td class="verdict">right 1.2e-7</td>' in page
    assert '<td class="verdict">refused</td>' in page
    assert "no kernel for &lt;b&gt;LSTM&lt;/b&gt; | layout=1" in page
    assert '<a href="probes.jsonl">probes.jsonl</a>' in page
    assert "| P | wrong 5.0e-1 | crashed | n/a |" in text


def test_probes_of_another_machine_are_not_mixed_in(make, tmp_path):
    run = make.write(tmp_path / "run", **make.whole())
    disk.write_journal(run / PROBES, [replace(rows()[0], machine="elsewhere")])
    with pytest.raises(RecordError, match=r"probes.jsonl, line 1 was measured on 'elsewhere'"):
        render(run)


def survey(make):
    def mistake(name, *onnx, counts):
        asked, own, tight, loose = counts
        found = {"rows_found": own, "close_1e5_found": tight, "close_1e3_found": loose}
        return MistakeRow(mistake=name, onnx_found=onnx, rows_asked=asked, **found)

    mistakes = (
        mistake("without P", "test_a", counts=(5, 5, 5, 4)),
        mistake("with weights in float16", counts=(5, 5, 5, 0)),
        mistake("in float32", counts=(2, 2, 0, 0)),
        mistake("with Wb and Rb swapped", counts=(5, 0, 0, 0)),
    )
    return Survey(machine=make.machine(), onnx_version="1.23.2", cases=("test_a", "test_b"), rows=5, mistakes=mistakes)


def test_a_survey_says_what_is_found_and_what_is_missed(make, tmp_path):
    found = survey(make)
    (table,) = survey_tables(found)
    assert table.rows == [
        ("without P", "1 of 2", "5 of 5", "5 of 5", "4 of 5"),
        ("with weights in float16", "missed", "5 of 5", "5 of 5", "missed"),
        ("in float32", "missed", "2 of 2", "missed", "missed"),
        ("with Wb and Rb swapped", "missed", *["no effect"] * 3),
    ]
    disk.write_record(tmp_path / "onnx-cases.json", found)
    text = render_survey(tmp_path).read_text()
    assert "Of 4 mistakes the 2 cases find 1, the 5 rows of the probe 3; under allclose(1e-5) they find 2, " in text
    assert "under allclose(1e-3) 1. No vector can show an engine with Wb and Rb swapped." in text
    assert "Cases of onnx 1.23.2: `test_a`, `test_b`." in text
    assert "2025-11-23" in text
