"""Memory in a pass of its own: one process a subject, small before large, known once."""

import os
import subprocess
import sys

import pytest

from lstmbench import bench as measuring
from lstmbench import disk
from lstmbench.bench import Effort, grid
from lstmbench.bench import weigh as weighing
from lstmbench.records import Load, Weight

QUIET = Load(at="2026-01-02T03:04:05+00:00", load_average=(0.1, 0.1, 0.1), cpu_mhz=None)
SIZES = grid(batches=(8, 1), times=(4,), kinds=("score", "decode"))
EFFORT = Effort(processes=1, rounds=1, twins=True, samples=90)


@pytest.fixture
def weigh(tmp_path):
    def weigh(clearances, workloads=SIZES) -> list[Weight]:
        run = tmp_path / "run"
        measuring.bench(clearances, workloads, run=run, effort=EFFORT, began=QUIET, progress=lambda _: None)
        return disk.read_journal(run / "memory.jsonl", Weight)

    return weigh


def test_each_subject_is_weighed_once_in_one_process_the_smaller_workloads_first(stage, cleared, weigh):
    rows = weigh(cleared("a", "b"))
    assert [name for name, _ in stage.weighed] == ["a"] * 4 + ["b"] * 4
    assert [w.tokens_per_sample for _, w in stage.weighed[:4]] == [1, 4, 8, 32]
    assert {(row.empty_bytes, row.idle_bytes, row.file_bytes) for row in rows} == {(10, 100, 1000)}
    assert [row.peak_bytes for row in rows] == [row.workload.batch * row.workload.time for row in rows]
    assert len(stage.loaded) == 2 + 1 + 2  # to be timed, the twin, to be weighed


def test_what_is_known_is_not_weighed_again(stage, cleared, weigh):
    first = weigh(cleared("a"))
    stage.weighed.clear()
    assert weigh(cleared("a"), [*SIZES, *grid(batches=(2,), times=(2,), kinds=("score",))])[:4] == first
    assert [w.batch for _, w in stage.weighed] == [2]


def test_a_crash_is_a_row_with_its_reason_and_is_tried_again(stage, cleared, weigh):
    rows = weigh(cleared("a"))
    assert not any(row.refused for row in rows)
    stage.crashes.add(("b", "decode"))
    stage.crashes.add(("c", "decode"))
    lost = [row for row in weigh(cleared("a", "b")) if row.refused]
    assert [(row.subject.runtime, row.peak_bytes) for row in lost] == []  # what cannot be timed is not weighed
    assert {w.kind for name, w in stage.weighed if name == "b"} == {"score"}


def test_what_did_not_pass_is_not_weighed(stage, cleared, weigh):
    weigh([*cleared("a"), *cleared("b", refused="logits are off")])
    assert {name for name, _ in stage.weighed} == {"a"}


def test_what_computes_in_a_process_that_its_own_has_started_bears_no_memory(stage, cleared, weigh):
    stage.starts_another.add("b")
    rows = weigh(cleared("a", "b"))
    assert {name for name, _ in stage.weighed} == {"a"}, "the small process would pass for the engine"
    assert {row.refused for row in rows if row.subject.runtime == "b"} == {
        "it computes in another process than the one that is weighed"
    }


def test_a_process_that_was_started_is_seen():
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as started:
        assert weighing._started_by(os.getpid())
        assert not weighing._started_by(started.pid)
        started.communicate(b"\n")
