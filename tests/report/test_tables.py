"""Numbers against NumPy's own; what cannot be told is not a number."""

import csv
import io

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from lstmbench.records import Decoding
from lstmbench.report import latency_table, parity_table, throughput_table
from lstmbench.report.speed import speed_lines
from lstmbench.report.tables import csv as as_csv

pytest.importorskip("pandas")

NUMBERS = ("p50_ms", "p90_ms", "p99_ms", "p999_ms", "load_ms", "first_call_ms", "max_error", "error_to_bound")


def only(table):
    assert len(table) == 1
    return table.iloc[0]


def vouched(make, measurements, parity):
    return measurements, make.vouching(parity, measurements)


def as_rows(table):
    return list(csv.DictReader(io.StringIO(as_csv(table).decode())))


def test_latencies_are_the_order_statistics_that_numpy_finds(make):
    of = make.subject()
    row = make.measured(of, 4801)
    line = only(latency_table(*vouched(make, [row], make.checked(of))))
    sample_ms = np.array(row.timing.sample_s) * 1e3
    for column, q in (("p50_ms", 0.5), ("p90_ms", 0.9), ("p99_ms", 0.99), ("p999_ms", 0.999)):
        assert line[column] == pytest.approx(np.quantile(sample_ms, q, method="inverted_cdf"), rel=1e-12)
    assert (line["load_ms"], line["first_call_ms"], line["samples"]) == (250, 8, 4801)


@pytest.mark.parametrize(("kind", "tokens"), [("score", 8 * 16), ("decode", 8), ("generate", 8 * 16)])
def test_throughput_is_tokens_of_a_sample_over_its_median(make, kind, tokens):
    of = make.subject()
    row = make.measured(of, 101, kind=kind, batch=8, time=16)
    line = only(throughput_table(*vouched(make, [row], make.checked(of))))
    assert line["tokens_per_s"] == pytest.approx(tokens / np.median(row.timing.sample_s))


def test_the_interval_is_that_of_the_medians_of_processes(make):
    of = make.subject()
    rows = [make.measured(of, 99, process=n, median_s=1e-3 * (1 + n)) for n in range(6)]
    line = only(throughput_table(*vouched(make, rows, make.checked(of))))
    medians = [16 / np.median(row.timing.sample_s) for row in rows]
    assert (line["processes"], line["samples"]) == (6, 6 * 99)
    assert line["tokens_per_s_low"] == pytest.approx(min(medians))
    assert line["tokens_per_s_high"] == pytest.approx(max(medians))


def test_five_processes_carry_no_interval(make):
    of = make.subject()
    rows = [make.measured(of, 99, process=n) for n in range(5)]
    (row,) = as_rows(throughput_table(*vouched(make, rows, make.checked(of))))
    assert (row["tokens_per_s_low"], row["tokens_per_s_high"]) == ("n/a", "n/a")


def test_a_crash_in_one_process_refuses_the_case(make):
    of = make.subject()
    rows = [make.measured(of, 99, process=n) for n in range(3)] + [make.measured(of, process=3, refused=make.crashed)]
    (row,) = as_rows(latency_table(*vouched(make, rows, make.checked(of))))
    assert (row["refused"], row["p50_ms"], row["samples"]) == (make.crashed, "n/a", "0")


def test_what_is_odd_about_a_case_stands_beside_it(make):
    of = make.subject()
    rows = [make.measured(of, 99, process=n, steady=n > 1) for n in range(6)]
    (row,) = as_rows(latency_table(*vouched(make, rows, make.checked(of))))
    assert row["remarks"] == "not steady after the warm-up in 2 of 6 processes"


def test_a_cold_start_has_all_processes_and_the_first_calls_of_those_that_began_with_the_workload(make):
    of = make.subject()
    firsts = {"warmup_s": (0.5, 0.1), "fresh": True}
    others = {"fresh": False}
    rows = [make.measured(of, 99, process=n, load_s=0.1 * n, **(firsts if n == 1 else others)) for n in (1, 2, 3)]
    line = only(latency_table(*vouched(make, rows, make.checked(of))))
    assert (line["spawn_ms"], line["load_ms"]) == (pytest.approx(125), pytest.approx(200))
    assert (line["first_call_ms"], line["first_calls"], line["processes"]) == (500, 1, 3)


def test_ten_samples_never_show_a_p90_or_a_p99(make):
    of = make.subject()
    (row,) = as_rows(latency_table(*vouched(make, [make.measured(of, 10)], make.checked(of))))
    assert (row["p90_ms"], row["p99_ms"], row["p999_ms"]) == ("n/a", "n/a", "n/a")
    assert float(row["p50_ms"]) > 0


@settings(deadline=None, max_examples=60)
@given(n=st.integers(3, 600))
def test_a_quantile_appears_exactly_where_samples_carry_it(make, n):
    of = make.subject()
    (line,) = speed_lines(*vouched(make, [make.measured(of, n)], make.checked(of)))
    # the chance that all n samples lie below the quantile must be 1 % at most
    assert (line.p90_ms is not None) == (0.9**n <= 0.01)
    assert (line.p99_ms is not None) == (0.99**n <= 0.01)


def test_six_samples_carry_no_median(make):
    of = make.subject()
    rows = [make.measured(of, n, batch=n) for n in (6, 7)]
    six, seven = as_rows(latency_table(*vouched(make, rows, make.checked(of))))
    assert (six["samples"], six["p50_ms"]) == ("6", "n/a")
    assert float(seven["p50_ms"]) > 0
    six, seven = as_rows(throughput_table(*vouched(make, rows, make.checked(of))))
    assert six["tokens_per_s"] == "n/a"
    assert float(seven["tokens_per_s"]) > 0


@pytest.mark.parametrize("other", [{"batch": 4}, {"time": 64}, {"kind": "decode"}], ids=str)
def test_outputs_at_another_shape_vouch_for_nothing(make, other):
    of = make.subject()
    here, there = make.measured(of), make.measured(of, **other)
    lines = {row["refused"] for row in as_rows(latency_table([there], make.vouching(make.checked(of), [here])))}
    assert lines == {"not checked: parity.jsonl holds no output of this export on this runtime there"}


def test_draws_made_in_another_way_vouch_for_nothing(make):
    of = make.subject(form="generate")
    timed = make.measured(of, kind="generate")
    rows = make.vouching([make.parity(of, output) for output in ("tokens", "h_n", "c_n")], [timed])
    assert not only(latency_table([timed], rows))["refused"]
    greedy = Decoding(prompt=1, temperature=0.0, top_k=0)
    rows = [replace(row, decoding=greedy) if row.decoding else row for row in rows]
    assert "not checked" in only(latency_table([timed], rows))["refused"]


def test_two_of_three_outputs_vouch_for_nothing(make):
    of = make.subject()
    row = make.measured(of)
    rows = make.vouching(make.checked(of), [row])
    assert rows[-1].output == "c_n"
    (line,) = as_rows(latency_table([row], rows[:-1]))
    assert line["refused"].startswith("not checked")


def test_what_was_loaded_for_another_workload_has_no_cold_start(make):
    of = make.subject()
    warm = make.measured(of)
    warm = replace(warm, timing=replace(warm.timing, fresh=False))
    (row,) = as_rows(latency_table(*vouched(make, [warm], make.checked(of))))
    assert (row["load_ms"], row["first_call_ms"]) == ("n/a", "n/a")


def test_every_speed_row_carries_the_worst_error_of_its_outputs(make):
    of = make.subject()
    rows = [make.parity(of, "logits", 1e-6), make.parity(of, "h_n", 3e-6), make.parity(of, "c_n", 2e-6, bound=2.5e-6)]
    line = only(latency_table(*vouched(make, [make.measured(of)], rows)))
    assert (line["max_error"], line["error_to_bound"]) == (3e-6, pytest.approx(0.8))


def test_a_refused_row_holds_its_reason_and_no_number(make):
    of = make.subject()
    (row,) = as_rows(latency_table(*vouched(make, [make.measured(of, refused=make.crashed)], make.checked(of))))
    assert row["refused"] == make.crashed
    assert {row[name] for name in NUMBERS} == {"n/a"}
    assert row["samples"] == "0"


def test_a_timing_whose_export_failed_the_check_shows_no_number(make):
    of = make.subject()
    rows = [*make.checked(of), make.parity(of, error=0.25, time=64, reason=make.out_of_bound)]
    (row,) = as_rows(latency_table(*vouched(make, [make.measured(of)], rows)))
    assert row["refused"] == f"failed the check at B = 2, T = 64: {make.out_of_bound}"
    assert {row[name] for name in NUMBERS} == {"n/a"}


@pytest.mark.parametrize(
    "other",
    [{"model_sha256": "cd" * 32}, {"runtime_version": "1.2.4"}, {"threads": 2}, {"model": "other/scan-fp32"}],
    ids=lambda other: next(iter(other)),
)
def test_no_other_file_version_or_thread_count_vouches_for_a_timing(make, other):
    of = make.subject()
    line = only(throughput_table([make.measured(of)], make.checked(make.subject(**other))))
    assert line["refused"].startswith("not checked")
    assert np.isnan(line["tokens_per_s"])


def test_placement_may_differ_between_check_and_timing(make):
    of = make.subject("onnxruntime-cpu")
    line = only(throughput_table(*vouched(make, [make.measured(of)], make.checked(of.identity))))
    assert line["refused"] == ""
    assert line["provider"] == "CPUExecutionProvider (2 nodes)"


def test_parity_shows_the_largest_error_of_all_shapes_with_its_own_surroundings(make):
    of = make.subject()
    worst = make.parity(of, error=3e-6, batch=5, time=33, chunks=(33,), float32_error=2e-6, worst_index=(4, 0, 7))
    rows = [make.parity(of, error=1e-6), worst, make.parity(of, error=2e-6, bound=2.5e-6)]
    line = only(parity_table(rows))
    assert (line["max_error"], line["float32_error"], line["bound"]) == (3e-6, 2e-6, 4e-6)
    assert (line["batch"], line["time"], line["chunks"], line["worst_index"]) == (5, 33, "33", "[4, 0, 7]")
    assert (line["runs"], line["verdict"]) == (3, "within bound")
    assert line["error_to_bound"] == pytest.approx(0.8)


def test_what_is_only_reported_is_counted_and_neither_worst_nor_a_share(make):
    of = make.subject()
    chaotic = make.parity(of, error=0.5, bound=0.1, time=33, chunks=(33,), unjudged_steps=33)
    line = only(parity_table([make.parity(of, error=1e-6), chaotic]))
    assert (line["runs"], line["not_judged"], line["verdict"]) == (2, 1, "within bound")
    assert (line["max_error"], line["error_to_bound"]) == (1e-6, pytest.approx(0.25))


def test_an_output_of_which_nothing_is_judged_says_so_and_vouches_for_no_speed(make):
    of = make.subject()
    chaotic = make.parity(of, error=0.5, bound=0.1, time=33, chunks=(33,), unjudged_steps=33)
    assert only(parity_table([chaotic]))["verdict"] == "reported, not judged"
    line = only(throughput_table([make.measured(of)], [chaotic]))
    assert line["refused"].startswith("reported, not judged")


def test_a_failed_run_is_shown_although_another_has_a_larger_error(make):
    of = make.subject()
    failed = make.parity(of, error=1e-6, bound=1e-7, reason=make.out_of_bound)
    line = only(parity_table([make.parity(of, error=3e-6), failed]))
    assert (line["verdict"], line["reason"], line["max_error"]) == ("FAILED", make.out_of_bound, 1e-6)


def test_an_answer_that_never_came_has_no_error(make):
    of = make.subject()
    silent = make.parity(of, error=None, reason=make.crashed, got=None, want=None, worst_index=())
    (row,) = as_rows(parity_table([make.parity(of), silent]))
    assert (row["max_error"], row["error_to_bound"], row["got"], row["worst_index"]) == ("n/a",) * 4


def test_a_bound_of_zero_is_kept_by_exact_agreement_alone(make):
    of = make.subject()
    exact = only(parity_table([make.parity(of, error=0.0, bound=0.0)]))
    assert exact["error_to_bound"] == 0


def test_there_is_one_parity_row_for_each_subject_and_output(make):
    rows = make.whole()["parity_rows"]
    table = parity_table(rows)
    assert len(table) == len({(row.subject, row.output) for row in rows}) == 15
    assert list(table["output"][:3]) == ["logits", "h_n", "c_n"]  # the order of the graph


def test_pieces_are_written_short(make):
    of = make.subject()
    table = parity_table([make.parity(of, chunks=(1,) * 64), make.parity(of, "h_n", chunks=(5, 1, 10))])
    assert list(table["chunks"]) == ["64x1", "5+1+10"]


def test_speed_rows_are_sorted_by_shape_and_name_never_by_speed(make):
    of = [make.subject("torch"), make.subject("numpy")]
    rows = [
        make.measured(o, batch=b, time=t, median_s=m)
        for o, m in zip(of, (1e-6, 1e-3), strict=True)
        for b in (8, 1)
        for t in (64, 16)
    ]
    table = latency_table(*vouched(make, rows, [row for o in of for row in make.checked(o)]))
    assert list(zip(table["batch"], table["time"], table["runtime"], strict=True)) == [
        (b, t, r) for b in (1, 8) for t in (16, 64) for r in ("numpy", "torch")
    ]


def test_tables_of_nothing_have_their_columns():
    assert list(latency_table([], []).columns)[:2] == ["model", "cell"]
    assert parity_table([]).empty
