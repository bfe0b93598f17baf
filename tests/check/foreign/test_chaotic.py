"""A chaotic recurrence hides nothing: what float32 cannot tell is not judged, and what it can is."""

import numpy as np
import pytest

from lstmbench.onnxfile.carried import unrecognised
from lstmbench.parity.graphs import Evaluation, expected


@pytest.fixture
def chaotic(ours):
    """Its float32 runs part from float64 by about 2 within 64 steps."""
    return ours(head="layer", peephole="full", hidden_size=24, num_layers=2, gain=2.0)


@pytest.fixture
def unrolled(chaotic):
    return chaotic.file(form="unrolled64", name="unrolled.onnx")


def test_a_right_file_passes_and_a_constant_does_not(check, unrolled):
    report = check(unrolled, "onnxruntime-cpu", "planted_graphs:AllZero")
    assert {row.output for row in report.rows if row.reason} == {"y", "h_n", "c_n"}
    assert {row.runtime for row in report.rows if row.reason} == {"planted_graphs:AllZero"}
    assert not report.unjudged


def test_of_a_chaotic_run_the_steps_before_it_parts_are_judged(check, unrolled, chaotic):
    report = check(unrolled, against=chaotic.file(form="scan", name="scan.onnx"))
    assert report.passed
    first = next(row for row in report.rows if row.output == "y")
    assert first.unjudged_steps
    assert first.bound < 1e-2


def test_where_nobody_knows_its_time_a_constant_does_not_pass_either(check, unrolled):
    report = check(unrolled, "planted_graphs:AllZero", recognise=unrecognised)
    assert {row.output for row in report.rows if row.reason} | set(report.unjudged) == {"y", "h_n", "c_n"}


def evaluation(error, *, size=1.0):
    want = size * np.cos(np.arange(error.size)).reshape(error.shape)
    return Evaluation(want, error, 1e-6)


@pytest.mark.parametrize("axis", [0, 1])
def test_steps_count_until_the_error_grows_faster_than_they_add_up(axis):
    error = np.full((1, 40, 4), 1e-7)
    error[:, 10:] = 1e-4
    one = expected({"y": evaluation(np.moveaxis(error, 1, axis))}, {"y": axis})["y"]
    assert (one.judged, one.time_axis) == (10, axis)
    assert one.bound < 1e-5


def test_three_steps_always_count():
    one = expected({"y": evaluation(np.geomspace(1e-7, 1e4, 13).reshape(1, 13, 1))}, {"y": 1})["y"]
    assert one.judged == 3


def test_nothing_is_judged_by_a_bound_that_a_constant_would_pass():
    wide = evaluation(np.full((2, 8), 0.5))
    assert expected({"h": wide}, {})["h"].judged == 0
    near = evaluation(np.full((2, 8), 1e-3))
    assert expected({"h": near}, {})["h"].judged is None
    exact = Evaluation(np.ones((2, 8)), np.zeros((2, 8)), 1e-6)
    assert expected({"h": exact}, {})["h"].judged is None, "a right constant is judged"
