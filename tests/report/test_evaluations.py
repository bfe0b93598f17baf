"""Scores of texts in a report: what is kept is drawn, and nothing that no check vouches for."""

import pytest

from lstmbench import disk
from lstmbench.records import Evaluation, Score
from lstmbench.report import evaluations_of, render
from lstmbench.report.evaluations import evaluation_sheets

pytest.importorskip("pandas")
SCORE = Score(nats=1.5, perplexity=4.4817, bits_per_character=2.164, tokens=1234)


def evaluation(of, **changes):
    found = {"score": SCORE, "nats_low": 1.4, "nats_high": 1.6, "rows": 8}
    return Evaluation(subject=of, text="kjv, test part", text_sha256="ab" * 32, **found | changes)


def test_a_run_that_only_predicted_a_text_has_a_report(make, tmp_path):
    of = make.subject()
    run = make.write(tmp_path / "run", parity_rows=make.checked(of), measurements=[])
    disk.append_record(run / "evaluations.jsonl", evaluation(of))
    render(run)
    page = (run / "report.md").read_text()
    assert "No call was timed by itself." in page
    assert "## Prediction: how well texts are predicted by what runs" in page
    assert "1.400 – 1.600" in page
    assert "4.4817" in page
    assert "evaluations.jsonl" in (run / "index.html").read_text()
    (table,) = evaluations_of(run)
    assert table.rows[0][1:] == ("1,234", "1.5000", "1.400 – 1.600", "4.4817", "2.1640")


@pytest.mark.parametrize(
    ("rows", "why"),
    [
        (lambda make, of: make.checked(of, reason="off by 3", error=9.0), "failed the check"),
        (lambda make, _: make.checked(make.subject("torch")), "no check of it is kept"),
    ],
)
def test_without_a_check_that_passed_there_is_no_score(make, rows, why):
    of = make.subject()
    ((sheet),) = evaluation_sheets([evaluation(of)], rows(make, of))
    (row,) = sheet.rows
    assert why in row.refused
    assert not row.values


def test_what_was_refused_keeps_its_reason(make):
    of = make.subject()
    (sheet,) = evaluation_sheets([evaluation(of, score=None, refused="gone")], make.checked(of))
    assert sheet.rows[0].refused == "gone"
