"""The chart of latency against throughput: what nothing beats in both is joined and named."""

import pytest

pytest.importorskip("altair")

from lstmbench.report.cloud import frontier, given_up
from lstmbench.report.prices import PriceLine
from lstmbench.report.subjects import columns


@pytest.fixture
def line(make):
    subject = columns(make.subject())
    return lambda p50_ms, rate, loss=0.0: PriceLine(subject, "score", 1, 64, p50_ms, rate, 0.5, loss)


def test_the_frontier_is_what_nothing_beats_in_both(line):
    lines = [line(1.0, 10.0), line(2.0, 30.0), line(3.0, 20.0), line(4.0, 40.0), line(1.0, 5.0), line(5.0, 40.0)]
    assert [(one.p50_ms, one.tokens_per_s) for one in frontier(lines)] == [(1.0, 10.0), (2.0, 30.0), (4.0, 40.0)]


@pytest.mark.parametrize(
    ("loss", "shape"), [(0.0, "nothing"), (-0.001, "nothing"), (0.01, "little"), (0.02, "much"), (None, "much")]
)
def test_a_point_shows_what_is_given_up(line, loss, shape):
    assert given_up(line(1.0, 1.0, loss)) == shape
