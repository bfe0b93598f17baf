"""Exports that take lengths are checked with rows of unequal length, and mistakes in them are caught."""

import numpy as np
import pytest

from lstmbench import check as checking
from lstmbench.check import cases
from lstmbench.check.question import Question
from lstmbench.records import ModelConfig, Workload

SHAPES = ((1, 1), (2, 16), (5, 33))
BOTH = ModelConfig(head="layer", peephole="full", input_size=3, hidden_size=4, bidirectional=True)


@pytest.fixture
def check(inline, tmp_path):
    def check(exported, *names, **more):
        options = {"shapes": SHAPES, "progress": lambda _line: None} | more
        return checking.check(exported, names, run=tmp_path / "run", **options)

    return check


def test_the_reference_in_float32_passes_with_unequal_rows(make, lm, check):
    report = check([make(lm, lengths=True), make(BOTH, name="both", lengths=True)], "numpy")
    assert report.passed
    several = [row for row in report.rows if row.asked != "vocabulary"]
    assert all(len(row.lengths) == row.batch for row in several)
    whole = [row for row in several if row.batch > 1 and len(row.chunks) == 1 and row.state != "large"]
    assert {(min(row.lengths), max(row.lengths)) for row in whole} == {(1, 3), (1, 16), (1, 33)}
    assert all(row.lengths.count(row.time) == 1 for row in whole), "one row is whole"


def test_rows_end_within_the_last_call(make, lm):
    exported = make(lm, lengths=True)
    plan = cases.plan(exported, SHAPES)
    for case in (case for case in plan if case.asked != "steps"):
        starts = [sum(case.chunks[:n]) for n in range(len(case.chunks))]
        question = Question(None, None, (), lengths=np.array(case.lengths, np.int32))
        calls = [question.ends(start, steps) for start, steps in zip(starts, case.chunks, strict=True)]
        assert all((call >= 1).all() and (call <= steps).all() for call, steps in zip(calls, case.chunks, strict=True))
        assert tuple(sum(calls)) == case.lengths


def test_an_export_without_lengths_is_asked_as_before(make, lm):
    plan = cases.plan(make(lm), SHAPES)
    assert {case.lengths for case in plan} == {()}
    assert Question(None, None, ()).ends(0, 1) is None


def test_what_is_timed_is_checked_with_whole_rows(make, lm):
    exported = make(lm, lengths=True)
    timed = cases.plan(exported, ((1, 1),), [Workload(kind="decode", batch=2, time=8)])[-1]
    assert (timed.chunks, timed.lengths) == ((1,) * 8, ())


@pytest.mark.parametrize("mistake", ["IgnoresLengths", "KeepsNoState", "CutsNoOutput", "EndsOneStepLate"])
def test_a_planted_mistake_fails(make, lm, check, mistake):
    (clearance,) = check([make(lm, lengths=True)], f"planted:{mistake}").clearances
    assert clearance.refused.startswith("failed the check at (B=")
    assert " from a random state, rows of 1 to 16 steps: " in clearance.refused


def test_a_reverse_direction_that_starts_at_the_last_step_fails(make, check):
    report = check([make(BOTH, lengths=True)], "planted:ReversesFromTheLastStep")
    assert {row.output for row in report.failures()} == {"y", "h_n", "c_n"}


def test_a_wrong_use_of_lengths_passes_where_there_are_none(make, lm, check):
    assert check([make(lm)], "planted:IgnoresLengths").passed


def test_what_passed_is_not_run_again(make, lm, check, inline):
    exported = make(lm, lengths=True)
    first = check([exported], "planted:Honest")
    inline.clear()
    assert check([exported], "planted:Honest") == first
    assert inline == []


def test_what_runs_no_file_is_asked_once_with_lengths_and_once_without(make, lm, check):
    models = [make(lm), make(lm, lengths=True)]
    assert [c.exported.record.lengths for c in check(models, "numpy").clearances] == [False, True]
