"""What the machine could do, beside every case that was timed: once, and anew for what was made again."""

import pytest
from msgspec.structs import replace

from lstmbench import bench as measuring
from lstmbench import disk
from lstmbench.bench import Effort, grid
from lstmbench.errors import WorkerError
from lstmbench.records import Load, Roof

QUIET = Load(at="2026-01-02T03:04:05+00:00", load_average=(0.1, 0.1, 0.1), cpu_mhz=None)
SIZES = grid(batches=(2,), times=(3,), kinds=("score", "decode"))


@pytest.fixture
def roofs(tmp_path, stage):
    del stage  # it is in place

    def roofs(clearances, **changes) -> list[Roof]:
        run, effort = tmp_path / "run", Effort(processes=1, rounds=1, samples=90, **changes)
        measuring.bench(clearances, SIZES, run=run, effort=effort, began=QUIET, progress=lambda _: None)
        return disk.read_journal(run / "roofline.jsonl", Roof)

    return roofs


def test_a_call_and_a_step_need_what_they_compute(stage, cleared, roofs):
    """E = 3, H = 4, V = 5, full: 48 + 64 + 64 + 20 weights, of which 128 multiply states."""
    score, decode = roofs(cleared("a"))
    assert (score.operations, decode.operations) == (2 * 2 * 3 * 196, 2 * 2 * 196)
    assert (score.weight_bytes, score.read_bytes) == (4 * 196, 4 * (3 * 128 + 68))
    assert decode.read_bytes == decode.weight_bytes == 4 * 196
    assert score.bytes_per_s == 1e6 * score.weight_bytes
    assert stage.gauge.asked == [(1, 4 * 196)]  # one buffer for both, and none for the twin


def test_what_is_known_is_not_measured_again(stage, cleared, roofs):
    first = roofs(cleared("a"))
    stage.gauge.asked.clear()
    assert roofs(cleared("a")) == first
    assert not stage.gauge.asked


def test_an_export_made_again_is_measured_again(cleared, roofs):
    roofs(cleared("a"))
    (first,) = cleared("a")
    again = replace(first, subject=replace(first.subject, model_sha256="ef" * 32))
    assert {row.subject.model_sha256 for row in roofs([again])} == {"ef" * 32}


def test_a_process_that_fails_is_a_reason_and_is_tried_again(stage, cleared, roofs, monkeypatch):
    def fails(*_):
        raise WorkerError("no memory")

    with monkeypatch.context() as broken:
        broken.setattr(stage.gauge, "rates", fails)
        assert {row.refused for row in roofs(cleared("a"))} == {"no memory"}
    assert {row.refused for row in roofs(cleared("a"))} == {""}


def test_what_was_not_cleared_or_not_asked_has_none(cleared, roofs):
    assert roofs(cleared("a", refused="wrong")) == []
    assert roofs(cleared("a"), weigh=False) == []
