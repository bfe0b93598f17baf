"""The study of the engine drawn: every rule, both states of the machine, and what each comparison took."""

import csv

import pytest

from lstmbench.report import detection_tables, render_detection
from lstmbench.report.detection import PLANTED, Rate

pytest.importorskip("altair")
CALLED = {("ours", 0): 2, ("ours", 2): 95, ("ours", 5): 100, ("theirs", 0): 40, ("theirs", 2): 60, ("theirs", 5): 80}
RATES = [
    Rate(busy, rule, planted, CALLED[rule, planted], 100, 0.25)
    for busy in (False, True)
    for rule in ("ours", "theirs")
    for planted in PLANTED
]


def test_the_page_the_counts_and_the_chart_say_the_same(make, tmp_path):
    page = render_detection(tmp_path, RATES, make.machine()).read_text()
    assert "## As the machine is: called different, of 100 comparisons each; one samples for 250 ms" in page
    assert "## With other processes on every core" in page
    assert page.count("| theirs | 40 | 49 % | 60 | 80 |") == 2
    assert "![How often a difference is called one](charts/detection.png)" in page
    assert (tmp_path / "charts/detection.png").read_bytes()[1:4] == b"PNG"
    with (tmp_path / "detection.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == len(RATES)
    assert (rows[0]["rule"], rows[0]["called"], rows[0]["cost_s"]) == ("ours", "2", "0.250000")
    assert float(rows[0]["at_most"]) == pytest.approx(0.0616, abs=1e-4)


def test_a_terminal_shows_a_table_for_each_state_of_the_machine():
    quiet, loaded = detection_tables(RATES)
    assert quiet.rows == loaded.rows == [("ours", "2", "6.2 %", "95", "100"), ("theirs", "40", "49 %", "60", "80")]


def test_a_share_of_all_is_a_hundred_per_cent():
    ((table,)) = detection_tables([Rate(False, "theirs", planted, 1, 1) for planted in PLANTED])
    assert table.rows == [("theirs", "1", "100 %", "1", "1")]
