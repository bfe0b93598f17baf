"""Numbers in tables: short, in plain units, never blank."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lstmbench.report import wording


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "n/a"),
        (0.0, "0"),
        (4.24e-7, "4.2e-7"),
        (0.062, "6.2e-2"),
        (1.0, "1.0e0"),
        (9.96e-7, "1.0e-6"),
        (2e-12, "2.0e-12"),
    ],
)
def test_an_error_is_two_digits_and_a_power(value, text):
    assert wording.error(value) == text


@given(st.floats(1e-300, 1e300))
def test_an_error_is_read_back_within_five_percent(value):
    assert float(wording.error(value)) == pytest.approx(value, rel=0.05)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "n/a"),
        (0.0, "0 %"),
        (0.004, "< 1 %"),
        (0.41, "41 %"),
        (0.996, "100 %"),
        (2.5, "250 %"),
        (62_512.0, "62,500 ×"),
    ],
)
def test_a_share_of_a_bound_is_a_percentage(value, text):
    assert wording.share(value) == text


def test_a_span_needs_both_ends():
    assert wording.between(11_900.0, 12_400.0) == "11.9 k – 12.4 k"
    assert wording.between(None, 12_400.0) == "n/a"


def test_an_export_is_named_with_its_form_once(make):
    from lstmbench.report.subjects import columns

    assert wording.export(columns(make.subject())) == "kjv-full/scan-fp32"
    assert wording.export(columns(make.subject(model="mine"))) == "mine (scan-fp32)"
    assert wording.export(columns(make.subject(model="mine/scan-fp32-lengths"))) == "mine/scan-fp32-lengths"
    assert wording.export(columns(make.subject(model="mine/layer-scan-fp32"))) == "mine/layer-scan-fp32"
