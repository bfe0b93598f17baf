"""No figure under the name of a provider that did not run the recurrent nodes, unless it is asked for and says so."""

import pytest

from lstmbench import check as checking
from lstmbench import machine
from lstmbench.bench import Effort, bench, grid
from lstmbench.report import latency_table, parity_table, terminal_tables, throughput_table

WORKLOADS = grid(batches=(2,), times=(3,), kinds=("score",))
EFFORT = Effort(rounds=2, warmup_s=0.0, budget_s=0.02, samples=200)


@pytest.fixture
def go(tmp_path, plugins):
    def go(exported, runtime, **options):
        exported.path.write_bytes(b"a file that no runtime here reads, and that is weighed")
        run, quiet = tmp_path / "run", lambda _line: None
        report = checking.check([exported], [runtime], run=run, shapes=((1, 1), (2, 3)), progress=quiet, **options)
        began = machine.observe().before
        return report, bench(report.clearances, WORKLOADS, run=run, effort=EFFORT, began=began, progress=quiet), run

    return go


def test_what_ran_elsewhere_than_its_name_says_is_refused_and_has_no_number(go, tiny):
    report, rows, _ = go(tiny, "planted:ClaimsCuda")
    assert not report.passed
    (clearance,) = report.clearances
    assert clearance.refused.startswith("nodes that compute ran on CPUExecutionProvider, not on CUDAExecutionProvider")
    assert all(row.timing is None and row.refused == clearance.refused for row in rows)
    assert all(row.max_error is None for row in report.rows)


@pytest.mark.parametrize("adapter", ["TellsNothing", "ShowsNoRecurrentNode"])
def test_a_promise_without_evidence_is_refused_too(go, tiny, adapter):
    report, rows, _ = go(tiny, f"planted:{adapter}")
    (clearance,) = report.clearances
    assert clearance.refused.startswith("nodes that compute ran on a provider that is not told, not on CUDAExecution")
    assert not any(row.timing for row in rows)
    assert go(tiny, f"planted:{adapter}", allow_mixed=True)[0].passed


def test_a_long_run_and_a_search_are_refused_alike(tmp_path, plugins, tiny):
    known = {"run": tmp_path / "run", "progress": lambda _line: None}
    done = checking.drift([tiny], ["planted:ClaimsCuda"], steps=3, **known)
    assert not done.rows
    assert [why.startswith("nodes that compute ran on CPUExecution") for _, why in done.refused] == [True]
    assert checking.drift([tiny], ["planted:ClaimsCuda"], steps=3, allow_mixed=True, **known).rows
    report = checking.check([tiny], ["planted:ClaimsCuda"], shapes=((1, 1),), **known)
    (found,) = checking.bisect(report, **known)
    assert (found.probes, found.words) == (0, report.clearances[0].refused)


def test_what_ran_where_its_name_says_passes_without_a_label(go, tiny):
    report, rows, _ = go(tiny, "planted:IsOnCuda")
    assert report.passed
    assert all(row.timing for row in rows)
    assert set(parity_table(report.rows)["mixed"]) == {"no"}


def test_allowed_it_is_labelled_in_every_table(go, tiny):
    report, rows, run = go(tiny, "planted:ClaimsCuda", allow_mixed=True)
    assert report.passed
    assert all(row.timing for row in rows)
    for table in (parity_table(report.rows), latency_table(rows, report.rows), throughput_table(rows, report.rows)):
        assert set(table["mixed"]) == {"CPUExecutionProvider"}
        assert set(table["ran_in"]) == {"float32"}
        assert set(table["provider"]) == {"CPUExecutionProvider (2 nodes), CUDAExecutionProvider (3 nodes)"}
    for table in terminal_tables(run):
        assert table.rows
        assert all("ClaimsCuda (MIXED: also CPU)" in row[0] for row in table.rows)


def test_the_page_and_its_charts_bear_the_label_too(go, tiny):
    from lstmbench.report import render

    _, _, run = go(tiny, "planted:ClaimsCuda", allow_mixed=True)
    render(run)
    page = (run / "index.html").read_text()
    rows = [
        line for line in (run / "report.md").read_text().splitlines() if "ClaimsCuda" in line and line.startswith("|")
    ]
    assert rows
    assert all("MIXED: also CPU" in row for row in rows)
    assert "MIXED: also CPU" in page
    assert "MIXED" in (run / "charts/parity-and-speed.svg").read_text()


def test_a_run_that_goes_on_without_being_allowed_to_is_refused_again(go, tiny):
    assert go(tiny, "planted:ClaimsCuda", allow_mixed=True)[0].passed
    assert not go(tiny, "planted:ClaimsCuda")[0].passed
