"""Requests in tables: medians of what was planted, and nothing without parity."""

import pytest
from msgspec.structs import replace

from lstmbench.records import Workload
from lstmbench.report import frames, render, terminal_tables
from lstmbench.report.requests import request_lines
from lstmbench.report.speed import speed_lines

pytest.importorskip("pandas")
NEW = 4


def requests(make, of, *, processes=6, each=30, **changes):
    """The prompt takes 3 ms, a token 1 ms, a bit more in each further process; every tenth request stalls once."""
    work, rows = Workload(kind="request", batch=2, time=16, new=NEW), []
    for process in range(processes):
        slow = 1 + process / 1000
        tokens = [[3e-3 * slow, 1e-3 * slow, 1e-3 * slow, (11e-3 if n % 10 == 9 else 1e-3) * slow] for n in range(each)]
        whole = tuple(sum(one) for one in tokens)
        timed = make.measured(of, each, process=process, kind="decode")
        token_s = tuple(time_s for one in tokens for time_s in one)
        timing = replace(timed.timing, sample_s=whole, token_s=token_s)
        rows.append(replace(timed, workload=work, timing=timing, **changes))
    return rows


def test_the_numbers_are_those_of_first_tokens_of_all_that_follow_and_of_the_whole(make):
    of = make.subject()
    rows = requests(make, of)
    (line,) = request_lines(rows, speed_lines(rows, make.vouching(make.checked(of), rows)))
    slow = 1 + 2 / 1000  # the lower of the two processes in the middle
    assert line.first_p50_ms == pytest.approx(3 * slow)
    assert line.between_p50_ms == pytest.approx(1 * slow)
    assert line.between_mean_ms == pytest.approx(1 * slow)
    assert line.whole_p50_ms == pytest.approx(6 * slow)
    assert line.tokens_per_s == pytest.approx(2 * NEW / (6e-3 * slow))
    assert line.requests == 180


def test_a_request_of_one_token_has_nothing_between(make):
    of = make.subject()
    rows = [
        replace(
            row,
            workload=replace(row.workload, new=1),
            timing=replace(row.timing, token_s=row.timing.sample_s),
        )
        for row in requests(make, of)
    ]
    (line,) = request_lines(rows, speed_lines(rows, make.vouching(make.checked(of), rows)))
    assert (line.between_mean_ms, line.between_p50_ms, line.between_p99_ms) == (None, None, None)
    assert line.first_p50_ms == line.whole_p50_ms


def test_where_too_few_requests_tell_no_median_their_tokens_tell_no_tail(make):
    of = make.subject()
    rows = requests(make, of, processes=1, each=6)
    long = [replace(row, workload=replace(row.workload, new=61), timing=_longer(row.timing, 60)) for row in rows]
    (line,) = request_lines(long, speed_lines(long, make.vouching(make.checked(of), long)))
    assert line.requests == 6
    assert line[8:16] == (None,) * 8


def _longer(timing, more):
    """Each request goes on: so many tokens follow its first."""
    tokens = [
        3e-3 if n % (more + 1) == 0 else 1e-3 * (1 + 0.01 * (n * 0.6180339887 % 1)) for n in range(6 * (more + 1))
    ]
    whole = tuple(sum(tokens[n : n + more + 1]) for n in range(0, len(tokens), more + 1))
    return replace(timing, token_s=tuple(tokens), sample_s=whole)


def test_without_a_check_of_those_very_calls_there_is_no_number(make):
    of = make.subject()
    rows = requests(make, of)
    only = make.vouching(make.checked(of), [replace(row, workload=replace(row.workload, new=3)) for row in rows[:0]])
    (line,) = request_lines(rows, speed_lines(rows, only))
    assert line.refused
    assert line.first_p50_ms is None


def test_page_csv_frame_and_terminal_hold_them(make, tmp_path):
    of = make.subject()
    run = make.write(tmp_path / "run", parity_rows=make.checked(of), measurements=requests(make, of))
    render(run)
    assert "requests.csv" in (run / "index.html").read_text()
    assert "2×16+4" in {row[1] for table in terminal_tables(run) for row in table.rows}
    frame = frames(run)["requests"]
    assert (run / "requests.csv").read_text().splitlines()[0].split(",") == [*frame.columns]
    assert frame["first_p50_ms"][0] == pytest.approx(3.006)
    assert frame["new"][0] == NEW


def test_useful_tokens_of_rows_of_mixed_lengths_leave_the_padding_out(make, tmp_path):
    of = make.subject()
    timed = [make.measured(of, batch=3, time=16, process=n) for n in range(6)]
    mixed = [replace(row, workload=replace(row.workload, shortest=4)) for row in timed]
    run = make.write(tmp_path / "run", parity_rows=make.checked(of), measurements=[*timed, *mixed])
    found = frames(run)["throughput"].set_index("shortest", drop=False)
    whole, padded = (found[found["shortest"].isna() == alone].iloc[0] for alone in (True, False))
    assert (whole["padding"], padded["padding"]) == (0.0, pytest.approx(1 - 30 / 48))
    assert padded["tokens_per_s"] == pytest.approx(whole["tokens_per_s"] * 30 / 48)
    titles = [table.title.split(":")[0] for table in terminal_tables(run)]
    assert titles[1:] == ["Scoring, one call", "Rows of mixed lengths, one call"]


def test_an_export_that_takes_lengths_is_vouched_for_by_rows_of_those_lengths(make):
    of = make.subject(model="kjv-full/scan-fp32-lengths")
    row = make.measured(of, batch=3, time=16)
    mixed = replace(row, workload=replace(row.workload, shortest=4))
    whole = make.vouching(make.checked(of), [mixed])
    (refused,) = speed_lines([mixed], whole)
    assert refused.refused
    (line,) = speed_lines([mixed], [replace(one, lengths=mixed.workload.lengths) for one in whole])
    assert not line.refused
