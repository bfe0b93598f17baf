"""One colour a runtime; names that tell series apart, and say no more than that."""

import pytest

from lstmbench.report import subjects
from lstmbench.report.look import look


def names(*some):
    columns = [subjects.columns(one) for one in some]
    decided = look(columns)
    return [decided.names[one] for one in columns]


def test_runtime_and_cell_are_enough_where_they_differ(make):
    assert names(make.subject("numpy"), make.subject("torch")) == ["numpy · full", "torch · full"]


def test_two_exports_of_one_cell_are_told_apart_by_name(make):
    assert names(make.subject(), make.subject(model="mine/scan-fp32"), make.subject(peephole="diagonal")) == [
        "numpy · kjv-full/scan-fp32",
        "numpy · mine/scan-fp32",
        "numpy · diagonal",
    ]


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("scan-fp32", "scan-int8"),
        ("scan-fp32", "loop-fp32"),
        ("scan-int8", "loop-fp32"),
    ],
)
def test_what_differs_of_an_export_is_enough(make, one, other):
    made = [make.subject(model=f"m/{e}", form=e[:4], precision=e[5:]) for e in (one, other)]
    shown = [name.removeprefix("numpy · full ") for name in names(*made)]
    assert shown == ([one[5:], other[5:]] if one[5:] != other[5:] else [one[:4], other[:4]])


def test_three_exports_take_form_and_precision(make):
    made = [make.subject(model=f"m/{e}", form=e[:4], precision=e[5:]) for e in ("scan-fp32", "scan-int8", "loop-fp32")]
    assert names(*made) == ["numpy · full scan-fp32", "numpy · full scan-int8", "numpy · full loop-fp32"]


def test_versions_and_threads_appear_where_they_differ(make):
    assert names(make.subject(), make.subject(runtime_version="2.0.0")) == ["numpy 1.2.3 · full", "numpy 2.0.0 · full"]
    assert names(make.subject(), make.subject(threads=2)) == ["numpy · full · 1 thread", "numpy · full · 2 threads"]


def test_a_runtime_keeps_its_colour_whatever_stands_beside_it(make):
    some = [subjects.columns(make.subject(name)) for name in ("torch", "other-b", "other-a", "numpy")]
    alone, together = look(some[:1]).colours, look(some).colours
    assert alone["torch"] == together["torch"]
    assert len(set(together.values())) == 4


def test_third_parties_beyond_the_palette_still_have_a_colour(make):
    some = [subjects.columns(make.subject(f"engine-{n}")) for n in range(20)]
    assert len(look(some).colours) == 20
