"""What others read of a run is what the run holds: pytest-benchmark's own reader, its own statistics, pandas."""

import json
import subprocess
import sys

import pytest

from lstmbench import disk
from lstmbench.errors import RecordError
from lstmbench.records import Weight
from lstmbench.report import frames, interchange, raw
from lstmbench.report.noise import ranked
from lstmbench.report.tables import csv

pytest.importorskip("pandas")


def exported(run):
    recorded = raw.read(run)
    return json.loads(interchange.pytest_benchmark(recorded, ranked(recorded.measurements, recorded.parity)[0]))


def test_pytest_benchmark_compares_two_runs_of_ours(rendered):
    file = str(rendered / interchange.NAME)
    command = [sys.executable, "-m", "pytest_benchmark", "compare", file, "--columns=median,rounds"]
    done = subprocess.run(command, cwd=rendered, capture_output=True, text=True, check=True)
    assert "benchmark 'score 1x16': 4 tests" in done.stdout
    assert "score[kjv-full/scan-onnxruntime-cpu-1x16]" in done.stdout
    assert not done.stderr


def test_every_statistic_is_that_of_the_same_samples_by_pytest_benchmark(make, tmp_path):
    from pytest_benchmark.stats import Stats

    of = make.subject()
    measured = [make.measured(of, n, process=k) for k, n in enumerate((100, 101))]
    (row,) = exported(make.write(tmp_path, parity_rows=make.checked(of), measurements=measured))["benchmarks"]
    theirs = Stats()
    for one in measured:
        for sample_s in one.timing.sample_s:
            theirs.update(sample_s)
    assert row["stats"].keys() == {*Stats.fields} | {"iterations"}
    for name, value in row["stats"].items():
        if name in ("q1", "q3", "iqr", "iqr_outliers", "outliers", "ld15iqr", "hd15iqr", "iterations"):
            continue  # quartiles have several definitions, and what follows from them with them
        assert value == pytest.approx(getattr(theirs, name)), name
    for name in ("q1", "q3"):
        assert row["stats"][name] == pytest.approx(getattr(theirs, name), rel=0.01)


def test_what_the_samples_do_not_carry_is_null_beside_them(make, tmp_path):
    of = make.subject()
    run = make.write(tmp_path, parity_rows=make.checked(of), measurements=[make.measured(of, 60)])
    (row,) = exported(run)["benchmarks"]
    assert row["extra_info"]["p90_ms"] is not None
    assert row["extra_info"]["p99_ms"] is None


def test_no_parity_no_row(make, tmp_path):
    good, bad = make.subject("numpy"), make.subject("torch")
    parity = [*make.checked(good), make.parity(bad, error=1.0, reason=make.out_of_bound), *make.checked(bad)[1:]]
    measured = [make.measured(of) for of in (good, bad)]
    rows = exported(make.write(tmp_path, parity_rows=parity, measurements=measured))["benchmarks"]
    assert [row["params"]["runtime"] for row in rows] == ["numpy"]


def test_frames_are_the_tables_of_a_run(rendered):
    tables = frames(rendered)
    assert list(tables) == [
        *("parity", "latency", "throughput", "memory", "requests", "roofline", "arrivals", "baseline", "prices"),
    ]
    for name, table in tables.items():
        assert csv(table) == (rendered / f"{name}.csv").read_bytes()
    assert tables["latency"]["p50_ms"].dtype == "float64"


def test_memory_is_a_table_too_and_what_did_not_pass_has_no_number(make, tmp_path):
    good, bad = make.subject("numpy"), make.subject("torch")
    parity = [*make.checked(good), make.parity(bad, error=1.0, reason=make.out_of_bound), *make.checked(bad)[1:]]
    measured = [make.measured(of) for of in (good, bad)]
    run = make.write(tmp_path, parity_rows=parity, measurements=measured)
    for row in measured:
        sizes = {"file_bytes": 3 * 2**20, "empty_bytes": 0, "idle_bytes": 2**20, "peak_bytes": 5 * 2**20}
        weight = Weight(machine=row.machine, subject=row.subject, workload=row.workload, **sizes)
        disk.append_record(run / "memory.jsonl", weight)
    memory = frames(run)["memory"].set_index("runtime")
    assert memory.loc["numpy", "peak_mib"] == 5
    assert memory.loc["torch", ["file_mib", "engine_mib", "peak_mib"]].isna().all()
    assert memory.loc["torch", "refused"]


def test_samples_of_pytest_benchmark_are_refused_in_one_line(tmp_path):
    file = tmp_path / "0001_theirs.json"
    file.write_text('{"benchmarks": []}')
    with pytest.raises(RecordError, match="no output of its samples was checked, and one process does not show"):
        raw.read(file)
