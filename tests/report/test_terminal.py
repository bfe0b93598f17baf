"""Tables that fit a terminal of 100 columns."""

import re

import numpy as np
import pytest
from msgspec.structs import replace
from rich.console import Console
from rich.table import Table

from lstmbench.report import extra, terminal_tables


@pytest.fixture
def tables(make, tmp_path):
    return terminal_tables(make.write(tmp_path / "run", **make.whole()))


def test_titles_come_in_reading_order(tables):
    assert [table.title.split(",")[0].split(":")[0] for table in tables] == [
        "Parity with the float64 reference",
        "Scoring",
        "Decoding",
        "Refused",
    ]


def test_generating_has_a_table_of_its_own_whose_title_says_what_a_sample_is(make, tmp_path):
    of = make.subject(form="generate")
    timed = make.measured(of, kind="generate", batch=2, time=64)
    tables = terminal_tables(make.write(tmp_path / "run", parity_rows=make.checked(of), measurements=[timed]))
    assert [table.title for table in tables[1:]] == [
        "Generating in the graph, one call of T tokens a row: latency, tokens a second"
    ]
    assert tables[1].rows[0][1] == "2×64"


def test_what_leaves_out_its_copies_has_a_table_of_its_own(make, tmp_path):
    of = make.subject()
    timed = make.measured(of, kind="score", batch=2, time=64)
    inside = replace(timed, workload=replace(timed.workload, region="compute"))
    tables = terminal_tables(make.write(tmp_path / "run", parity_rows=make.checked(of), measurements=[timed, inside]))
    titles = ["Scoring, one call", "Scoring, one call without its copies"]
    assert [table.title.split(":")[0] for table in tables[1:]] == titles
    assert all(len(table.rows) == 1 for table in tables[1:])


def test_every_cell_is_text_and_none_is_blank(tables):
    for table in tables:
        for row in table.rows:
            assert len(row) == len(table.columns)
            assert all(isinstance(cell, str) and cell for cell in row)


def test_no_row_is_folded_at_a_hundred_columns(tables):
    for table in tables[:3]:
        drawn = Table(*table.columns)
        for row in table.rows:
            drawn.add_row(*row)
        assert drawn.__rich_measure__(Console(width=500), Console(width=500).options).maximum <= 100


def test_refused_rows_show_no_number_and_are_listed_with_their_reason(tables, make):
    scoring, refused = tables[1], tables[-1]
    assert [row[1] for row in scoring.rows if row[6] == "refused"] == [row[1] for row in refused.rows]
    for row in scoring.rows:
        assert (row[6] == "refused") == (set(row[2:6]) == {"n/a"})
    reasons = [row[2] for row in refused.rows]
    assert sum(make.crashed in reason for reason in reasons) == 1
    assert sum(make.out_of_bound in reason for reason in reasons) == 4
    assert sum("not checked" in reason for reason in reasons) == 4


def test_ten_samples_show_neither_p90_nor_p99(tables):
    few = [row for row in tables[1].rows if row[1].startswith("8×") and row[2] != "n/a"]
    assert few
    assert {row[3:5] for row in few} == {("n/a", "n/a")}


def test_an_interval_a_tie_and_the_noise_floor_are_shown(make, tmp_path):
    """Eight processes each; the second takes a fifth longer, the third as long as the first, which has a twin."""
    rng, measured = np.random.default_rng(5), []
    subjects = {name: make.subject(name) for name in ("numpy", "torch", "onnxruntime-cpu")}
    for name, factor, twin in (
        ("numpy", 1, False),
        ("torch", 1.2, False),
        ("onnxruntime-cpu", 1, False),
        ("numpy", 1, True),
    ):
        for n, off in enumerate(np.exp(rng.normal(scale=0.005, size=8))):
            row = make.measured(subjects[name], 60, process=n, median_s=1e-3 * factor * off)
            measured.append(replace(row, twin=twin))
    parity = [row for of in subjects.values() for row in make.checked(of)]
    _, scoring = terminal_tables(make.write(tmp_path / "run", parity_rows=parity, measurements=measured))
    assert re.search(r"; under \d\.\d % is a tie$", scoring.title)
    assert scoring.columns == ("export · runtime", "B×T", "p50 ms", "p90 ms", "tok/s", "time", "parity")
    assert [row[5] for row in scoring.rows] == ["tie", "tie", "1.20 ×"]
    assert all(re.search(r" ±[12] %$", row[2]) for row in scoring.rows)


def test_without_the_reports_packages_the_rest_is_shown(make, tmp_path, monkeypatch):
    of = make.subject()
    run = make.write(tmp_path / "run", parity_rows=make.checked(of), measurements=[make.measured(of)])
    monkeypatch.setattr(extra, "PACKAGES", ("no_such_package",))
    _, scoring = terminal_tables(run)
    assert scoring.rows[0][-2] == "n/a"
    assert scoring.title == "Scoring, one call: latency, tokens a second"


def test_a_failed_output_is_marked(tables):
    assert [row[-1] for row in tables[0].rows].count("FAILED") == 1


def test_what_another_call_put_there_is_left_out_where_subjects_are_named(make, tmp_path):
    run = make.write(tmp_path / "run", **make.whole())
    of = make.subject("onnxruntime-cpu")
    shown = [row[0] for table in terminal_tables(run, [of]) for row in table.rows]
    assert set(shown) == {"kjv-full/scan · onnxruntime-cpu"}
