"""The chart of latency against throughput: what nothing beats in both is joined and named."""

import pytest

pytest.importorskip("altair")

from lstmbench.report.cloud import _named, frontier, given_up
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


def test_every_runtime_has_a_name_beside_the_chart_since_colours_repeat(line):
    def of(runtime, *numbers):
        one = line(*numbers)
        return one._replace(subject=one.subject._replace(runtime=runtime))

    fastest, larger = of("a", 1.0, 50.0), of("a", 2.0, 90.0)
    others = [of("b", 3.0, 20.0), of("b", 4.0, 30.0), of("c", 5.0, 10.0)]
    assert _named([fastest, larger, *others], [fastest, larger]) == [fastest, larger, others[1], others[2]]
