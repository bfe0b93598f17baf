"""What takes turns shares its cores, and the measuring process gets its own back."""

import os
import subprocess
import sys

import pytest

from lstmbench.bench.cores import _chosen, pinned

AFFINITY = pytest.mark.skipif(not hasattr(os, "sched_getaffinity"), reason="this system has no affinity")
ASK = "import os; print(sorted(os.sched_getaffinity(0)))"


@AFFINITY
def test_what_is_started_meanwhile_has_as_many_cores_as_threads():
    before = os.sched_getaffinity(0)
    with pinned(1, 3):
        said = subprocess.run([sys.executable, "-c", ASK], capture_output=True, text=True, check=True).stdout
    assert len(said.strip("[]\n").split(",")) == 1
    assert os.sched_getaffinity(0) == before


@AFFINITY
def test_a_failure_gives_the_cores_back_too():
    before = os.sched_getaffinity(0)
    with pytest.raises(RuntimeError), pinned(1, 0):
        raise RuntimeError
    assert os.sched_getaffinity(0) == before


@AFFINITY
def test_without_turns_nothing_is_pinned():
    before = os.sched_getaffinity(0)
    with pinned(1, None):
        assert os.sched_getaffinity(0) == before


def test_turns_go_round_all_cores_that_are_allowed():
    assert [_chosen([2, 5, 7], 1, turn) for turn in range(4)] == [{2}, {5}, {7}, {2}]
    assert [_chosen([0, 1, 2, 3], 2, turn) for turn in range(3)] == [{0, 1}, {2, 3}, {0, 1}]
    assert _chosen([0, 1], 4, 1) == {0, 1}


def test_who_takes_turns_is_started_on_shared_cores(monkeypatch, stage, cleared, tmp_path):
    """All contenders of a pass on the same; without turns on any."""
    from lstmbench import bench as measuring
    from lstmbench import machine
    from lstmbench.bench import contender

    seen = []
    monkeypatch.setattr(
        contender, "pinned", lambda threads, turn: seen.append((threads, turn)) or pinned(threads, None)
    )
    for in_turn in (True, False):
        effort = measuring.Effort(processes=2, rounds=2, weigh=False, in_turn=in_turn)
        options = {"effort": effort, "began": machine.observe().before, "progress": lambda _: None}
        work = measuring.grid(batches=(1,), times=(4,), kinds=("score",))
        measuring.bench(cleared("a", "b"), work, run=tmp_path / str(in_turn), **options)
    assert seen == [(1, 0)] * 3 + [(1, 1)] * 3 + [(1, None)] * 6
