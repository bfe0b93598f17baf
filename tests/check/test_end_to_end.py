"""Real processes, a real clock: what passes is timed, and of a planted mistake no number is ever seen."""

from itertools import pairwise

import msgspec
import pytest

from lstmbench import check as checking
from lstmbench import disk, machine
from lstmbench.bench import Effort, bench, grid
from lstmbench.export import export
from lstmbench.records import Measurement

EFFORT = Effort(processes=1, twins=False, rounds=2, warmup_s=0.0, budget_s=0.02, samples=200)
WORKLOADS = grid(batches=(2,), times=(3,), kinds=("score", "decode"))


@pytest.fixture
def go(tmp_path, plugins):
    def go(exported, *runtimes):
        lines: list[str] = []
        shapes = ((1, 1), (2, 5))
        report = checking.check(exported, runtimes, run=tmp_path / "run", shapes=shapes, progress=lines.append)
        began = machine.observe().before
        rows = bench(
            report.clearances, WORKLOADS, run=tmp_path / "run", effort=EFFORT, began=began, progress=lines.append
        )
        on_disk = disk.read_journal(tmp_path / "run/measurements.jsonl", Measurement)
        assert sorted(map(str, on_disk)) == sorted(map(str, rows))
        return report, rows, lines

    return go


def test_two_models_on_numpy_are_checked_and_timed_and_a_second_call_only_loads(go, make, lm):
    exported = [make(lm), make(lm, name="other", seed=4)]
    report, rows, _ = go(exported, "numpy")
    assert report.passed
    assert len(rows) == 4
    for row in rows:
        assert sum(row.timing.rounds) == len(row.timing.sample_s) >= 2
        assert list(row.timing.start_s) == sorted(row.timing.start_s)
    again, same, lines = go(exported, "numpy")
    assert (again, same) == (report, rows)
    assert all(line.startswith("loading") for line in lines)


def test_samples_of_two_runtimes_never_overlap_in_time(go, tiny):
    _, rows, _ = go([tiny], "numpy", "planted:Honest")
    for workload in WORKLOADS:
        timings = [row.timing for row in rows if row.workload == workload]
        spans = sorted(
            (start_s, start_s + took_s)
            for timing in timings
            for start_s, took_s in zip(timing.start_s, timing.sample_s, strict=True)
        )
        assert spans[0][0] == 0
        assert all(end_s <= start_s + 2e-9 for (_, end_s), (start_s, _) in pairwise(spans))


def test_no_number_is_seen_of_a_runtime_that_is_wrong_crashes_or_does_not_load(go, tiny):
    wrong = ("IgnoresState", "DropsTheLastStep", "SwapsHAndC", "NotANumber", "CrashesOnABatch", "DoesNotLoad")
    report, rows, _ = go([tiny], "numpy", *(f"planted:{name}" for name in wrong))
    assert {row.subject.runtime for row in rows if row.timing} == {"numpy"}
    assert {row.subject.runtime for row in rows if row.refused} == {f"planted:{name}" for name in wrong}
    assert {clearance.refused for clearance in report.clearances} == {"", *(row.refused for row in rows if row.refused)}


@pytest.mark.parametrize("peephole", ["full", "diagonal"])
def test_an_export_passes_and_is_timed_on_onnx_runtime(go, make, lm, peephole):
    pytest.importorskip("onnxruntime")
    model = msgspec.structs.replace(lm, peephole=peephole)
    report, rows, _ = go([export(make(model).path.parent)], "numpy", "onnxruntime-cpu")
    assert report.passed
    assert all(row.timing for row in rows)
    assert {row.subject.runtime for row in rows} == {"numpy", "onnxruntime-cpu"}


def test_a_file_that_was_changed_after_its_export_is_not_timed(go, make, lm):
    pytest.importorskip("onnxruntime")
    exported = export(make(lm).path.parent)
    exported.path.write_bytes(exported.path.read_bytes() + b"\n")
    report, rows, _ = go([exported], "onnxruntime-cpu")
    assert not report.passed
    assert all("was changed since export; export again" in row.refused for row in rows)


@pytest.mark.torch
def test_a_language_model_passes_and_is_timed_on_torch(go, tiny):
    pytest.importorskip("torch")
    report, rows, _ = go([tiny], "torch")
    assert report.passed
    assert all(row.timing for row in rows)
