"""Tables of any width: no name is broken in a word, no number at all, nothing is lost."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lstmbench.cli.layout import broken, lay_out

COLUMNS = ("export · runtime", "output", "1", "10", "100", "1,000", "10,000", "chaotic")
NAMES = ("kjv-diagonal/lstm-int8 · onnxruntime-cpu", "kjv-full/scan · numpy")
ROWS = [(name, output, *["1.0e-6"] * 5, "no") for name in NAMES for output in ("logits, trained", "h", "c")]


@pytest.mark.parametrize("width", [60, 80, 100, 118, 200])
def test_no_line_is_wider_and_no_word_or_number_is_broken(width):
    lines = lay_out(COLUMNS, ROWS, left=1, width=width)
    assert max(map(len, lines)) <= width
    text = "\n".join(lines)
    for word in ("diagonal", "onnxruntime", "numpy", "trained", "chaotic"):
        assert word in text
    assert text.count("1.0e-6") == 5 * len(ROWS)


def test_a_name_that_has_no_room_stands_above_the_rows_that_share_it():
    lines = lay_out(COLUMNS, ROWS, left=1, width=80)
    assert [line.strip() for line in lines if "·" in line] == [COLUMNS[0], *NAMES]
    assert len(lines) == 3 + len(NAMES) + len(ROWS)


def test_what_fits_is_a_row_a_line():
    assert len(lay_out(COLUMNS, ROWS, left=1, width=118)) == 2 + len(ROWS)


def test_where_no_column_has_room_a_row_is_a_list():
    lines = lay_out(COLUMNS, ROWS[:1], left=1, width=30)
    assert lines[0].strip() == "kjv-diagonal/lstm-int8 ·"
    assert "output   logits, trained" in "\n".join(lines)


@pytest.mark.parametrize(("text", "width", "lines"), [
    ("kjv-diagonal/lstm-int8 · onnxruntime-cpu", 24, ["kjv-diagonal/lstm-int8 ·", "onnxruntime-cpu"]),
    ("kjv-diagonal/lstm", 14, ["kjv-diagonal/", "lstm"]),
    ("1.0e-6", 3, ["1.0e-6"]),
    ("40.4 k", 4, ["40.4 k"]),
    ("-0.5 %", 3, ["-0.5 %"]),
    ("onnxruntime", 4, ["onnxruntime"]),
    ("3/4", 2, ["3/4"]),
    ("", 4, [""]),
])  # fmt: skip
def test_joints_are_spaces_slashes_and_hyphens_between_words(text, width, lines):
    assert broken(text, width) == lines


@given(st.text("ab1 /-é漢", max_size=40), st.integers(1, 30))
def test_nothing_but_space_is_lost_in_breaking(text, width):
    assert re.sub(r"\s", "", "".join(broken(text, width))) == re.sub(r"\s", "", text)
