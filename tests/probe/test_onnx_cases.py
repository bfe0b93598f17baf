"""ONNX's own LSTM cases: the evaluator passes all of them, and so do most mistakes."""

import numpy as np
import pytest

from lstmbench.mistakes import MISTAKES, right
from lstmbench.mistakes.case import run
from lstmbench.probe.onnx_cases import onnx_cases
from lstmbench.probe.survey import survey

pytestmark = pytest.mark.slow  # the onnx package makes the cases of all its operators


@pytest.fixture(scope="module")
def cases():
    return onnx_cases()


@pytest.fixture(scope="module")
def found():
    return survey()


def test_there_are_six_and_each_gives_an_output(cases):
    assert {case.name for case in cases} == {
        "test_lstm_defaults",
        "test_lstm_with_initial_bias",
        "test_lstm_with_peepholes",
        "test_lstm_batchwise",
        "test_lstm_reverse",
        "test_lstm_bidirectional",
    }
    assert all("Y_h" in case.wanted for case in cases)


def test_the_evaluator_passes_all_of_them_in_double_and_in_float32(cases):
    for case in cases:
        assert case.passed_by(right(case.case)), case.name
        assert case.passed_by(run(case.case)), case.name
        for name, want in case.wanted.items():
            n = ("Y", "Y_h", "Y_c").index(name)
            np.testing.assert_allclose(right(case.case)[n], want, rtol=0, atol=1e-6)  # far within their own 1e-3


def test_a_case_fails_what_is_off_by_more_than_it_allows(cases):
    for case in cases:
        outputs = run(case.case)
        assert not case.passed_by(tuple(array * 1.003 for array in outputs))
        assert case.passed_by(tuple(array * 1.0005 for array in outputs))
        assert not case.passed_by(tuple(array[:, :1] for array in outputs)) or outputs[1].shape[1] == 1
        assert not case.passed_by(tuple(array[..., :1] for array in outputs))


def test_the_survey_says_what_the_cases_miss(found):
    missed = {row.mistake for row in found.mistakes if not row.onnx_found}
    assert {"without P_i", "without P_f", "without sequence_lens", "without initial_c"} <= missed
    assert all(mistake.name in missed for mistake in MISTAKES if " read as " in mistake.name)
    assert "with Y of the reverse direction in the order of its steps" in missed
    seen = {row.mistake: row.onnx_found for row in found.mistakes if row.onnx_found}
    assert seen["without P"] == ("test_lstm_with_peepholes",)
    assert len(seen["without the last step"]) == 6


def test_the_rows_of_the_probe_find_every_mistake_that_shows(found):
    assert [row.mistake for row in found.mistakes if not row.rows_found] == ["with Wb and Rb swapped"]


def test_a_loose_comparison_of_the_same_rows_finds_less(found):
    loose = {row.mistake for row in found.mistakes if row.rows_found and not row.close_1e3_found}
    assert {"with one number of W off by 0.001", "with weights in float16", "in float32"} <= loose
    assert all(row.rows_found >= row.close_1e5_found >= row.close_1e3_found for row in found.mistakes)
