"""Arrivals stand beside the parity at their very shape, and no statistic without the queries that carry it."""

import numpy as np
import pytest
from msgspec.structs import replace

from lstmbench import disk
from lstmbench.records import ArrivalRow, Arrivals, Served
from lstmbench.report import arrivals_table, frames, render
from lstmbench.report.arrivals import arrival_lines, asked

SERVER = Arrivals(scenario="server", time=16, seconds=1.0, rate=50.0, within_s=0.02)


def served(n=1000, **changes):
    latency_s = tuple((0.001 + 0.001 * np.random.default_rng(0).permutation(n) / n).tolist())
    known = {"loadgen": "6", "valid": True, "due_s": tuple(map(float, range(n))), "latency_s": latency_s}
    return Served(**known | {"rows_per_s": 50.0} | changes)


@pytest.fixture
def row(make):
    def row(asked=SERVER, **changes):
        known = {"served": served()} if "refused" not in changes else {}
        return ArrivalRow(machine=make.machine().fingerprint, subject=make.subject(), asked=asked, **known | changes)

    return row


def parity(make, batch=1):
    """Of every output, of one call at (batch, 16) from no state."""
    return make.checked(make.subject(), batch=batch, time=16, chunks=(16,), state="none")


def test_quantiles_are_those_that_so_many_queries_carry(make, row):
    (line,) = arrival_lines([row()], parity(make))
    assert line.p50_ms == pytest.approx(1.5, rel=0.01)
    assert line.p99_ms == pytest.approx(1.99, rel=0.01)
    (few,) = arrival_lines([row(served=served(100))], parity(make))
    assert few.p90_ms is not None
    assert few.p99_ms is None


def test_offline_is_one_query_and_has_a_rate_alone(make, row):
    asked = Arrivals(scenario="offline", time=16, seconds=1.0)
    (line,) = arrival_lines([row(asked, served=served(1))], parity(make))
    assert (line.p50_ms, line.rows_per_s) == (None, 50.0)


def test_no_parity_at_that_shape_no_number(make, row):
    (line,) = arrival_lines([row()], parity(make, batch=2))
    assert line.refused
    assert (line.p50_ms, line.rows_per_s, line.loadgen) == (None, None, "")


def test_the_verdict_stands_there_with_its_reasons(make, row):
    bad = served(valid=False, reasons=("too short", "too few queries"))
    (line,) = arrival_lines([row(served=bad)], parity(make))
    assert line.loadgen == "invalid: too short, too few queries"


def test_a_row_has_latencies_or_a_reason(row):
    with pytest.raises(ValueError, match="latencies or a reason"):
        row(served=None)


def test_the_terminal_and_the_page_have_it(make, row, tmp_path):
    of = make.subject()
    timed = make.measured(of)
    checked = [*make.checked(of), *parity(make)]
    run = make.write(tmp_path / "run", parity_rows=checked, measurements=[timed])
    rows = [row(), row(Arrivals(scenario="offline", time=16, seconds=1.0), refused="it crashed")]
    for one in rows:
        disk.append_record(run / "arrivals.jsonl", one)
    table = arrivals_table(run, rows)
    assert table.rows[0][1:3] == ("offline, p99, 1 s", "1×16")
    assert table.rows[0][-1] == "refused: it crashed"
    assert table.rows[1][1] == "server, 50/s within 20 ms, p99, 1 s"
    render(run)
    assert "## Arrivals: latency from arrival to answer" in (run / "report.md").read_text()


@pytest.mark.parametrize(
    "change", [{"seconds": 2.0}, {"percentile": 0.9}, {"within_s": 0.03}, {"rate": 60.0}, {"seed": 1}]
)
def test_no_two_questions_look_alike(make, row, change):
    one, other = arrival_lines([row(), row(replace(SERVER, **change))], parity(make))
    assert asked(one) != asked(other)


def test_a_run_that_only_served_queries_has_a_report_and_a_frame(make, row, tmp_path):
    run = make.write(tmp_path / "run", parity_rows=parity(make), measurements=[])
    disk.append_record(run / "arrivals.jsonl", row())
    render(run)
    assert "No call was timed by itself." in (run / "report.md").read_text()
    found = frames(run)["arrivals"]
    assert found["p50_ms"][0] == pytest.approx(1.5, rel=0.01)
    assert (found["rate"][0], found["percentile"][0], found["seconds"][0]) == (50.0, 99.0, 1.0)
    assert len((run / "arrivals.csv").read_text().splitlines()) == 2
