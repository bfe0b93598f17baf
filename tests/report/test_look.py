"""One colour a runtime; names that tell series apart, and say no more than that."""

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
