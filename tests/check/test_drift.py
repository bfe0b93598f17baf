"""Long runs: what is right stays near, what is wrong grows where it is planted, and a chaotic model is called so."""

import math

import msgspec
import numpy as np
import pytest

from lstmbench import check as checking
from lstmbench import disk
from lstmbench.check.trajectories import marks as marking
from lstmbench.check.trajectories import reference as courses
from lstmbench.errors import LstmbenchError
from lstmbench.model import reference
from lstmbench.model.weights import random_weights
from lstmbench.records import DriftRow, ModelConfig

STEPS = 300
LM = ModelConfig(head="lm", peephole="full", input_size=3, hidden_size=8, num_layers=2, vocabulary_size=7)


@pytest.fixture
def follow(inline, tmp_path):
    def follow(exported, *runtimes, steps=STEPS):
        names = [name if name == "numpy" else f"planted:{name}" for name in runtimes]
        return checking.drift([exported], names, run=tmp_path / "run", steps=steps, progress=lambda _line: None)

    return follow


def test_marks_are_customary_steps_a_decade_and_the_last():
    assert marking.marks(10_000, of=1)[:8] == (1, 2, 3, 5, 7, 10, 20, 30)
    assert marking.marks(10_000, of=1)[-1] == 10_000
    assert marking.marks(40, of=16) == (16, 32, 48)


@pytest.mark.parametrize("of", [None, 1, 16])
def test_calls_end_at_every_mark_and_are_never_long(of):
    at = marking.marks(1000, of=of or 1)
    cut = list(marking.calls(at, of=of))
    assert set(at) <= set(np.cumsum(cut).tolist())
    assert max(cut) <= 64
    assert sum(cut) == at[-1]


def test_what_reads_a_whole_call_is_not_followed_call_by_call(follow, recorded):
    with pytest.raises(LstmbenchError, match="neither both directions nor attention"):
        follow(recorded(msgspec.structs.replace(LM, attention=True)), "Honest")


def test_inputs_are_the_same_however_a_run_is_cut():
    one = np.concatenate(list(courses.inputs(LM, [600])), axis=1)
    many = np.concatenate(list(courses.inputs(LM, [1, 255, 1, 300, 43])), axis=1)
    np.testing.assert_array_equal(one, many)


def test_the_course_is_what_the_reference_computes_in_one_run():
    weights = random_weights(LM, seed=3)
    cut = list(marking.calls(marking.marks(STEPS, of=1), of=None))
    found = courses.course(LM, weights, cut, marking.marks(STEPS, of=1))
    output, (h, c) = reference.run(LM, weights, next(courses.inputs(LM, [STEPS])))
    for mark in found.marks:
        np.testing.assert_allclose(mark.output, output[:, mark.step - 1], rtol=0, atol=1e-12)
    np.testing.assert_allclose(found.marks[-1].h, h, rtol=0, atol=1e-12)
    np.testing.assert_allclose(found.marks[-1].c, c, rtol=0, atol=1e-12)


def test_float32_stays_within_its_rounding_and_is_kept_on_disk(follow, make, tmp_path):
    found = follow(make(LM), "numpy")
    assert found.refused == ()
    assert {row.output for row in found.rows} == {"logits", "h", "c"}
    assert max(row.max_error for row in found.rows) < 1e-4  # a few hundred roundings of numbers below 4
    assert not any(row.chaotic for row in found.rows)
    assert found.rows[0].lyapunov < 0
    assert disk.read_journal(tmp_path / "run/drift.jsonl", DriftRow) == list(found.rows)


def test_what_is_finished_is_not_run_again(follow, make, inline):
    exported = make(LM)
    first = follow(exported, "numpy")
    ran = len(inline)
    assert follow(exported, "numpy") == first
    assert len(inline) == ran
    assert len(follow(exported, "numpy", steps=100).rows) < len(first.rows)
    assert len(inline) > ran


def test_a_state_that_leaks_is_seen_where_it_begins(follow, make):
    errors = {row.step: row.max_error for row in follow(make(LM), "LeaksAfterAHundred").rows if row.output == "c"}
    assert max(error for step, error in errors.items() if step <= 100) < 1e-5
    assert min(error for step, error in errors.items() if step > 100) > 1e-4


def test_a_chaotic_model_is_called_so():
    config = ModelConfig(head="layer", peephole="full", input_size=4, hidden_size=32, num_layers=1)
    weights = random_weights(config, seed=3, gain=4.0)
    cut = list(marking.calls((1000,), of=None))
    found = courses.course(config, weights, cut, (1000,))
    assert found.lyapunov * 1000 > 24 * math.log(2)


def test_a_runtime_that_fails_is_named_and_the_others_run(follow, make):
    found = follow(make(LM), "DoesNotLoad", "numpy")
    assert [name for name, _ in found.refused] == ["tiny/scan-fp32 on planted:DoesNotLoad"]
    assert {row.subject.runtime for row in found.rows} == {"numpy"}


def test_what_is_not_finite_is_no_number(follow, make):
    rows = follow(make(LM), "NotANumberInC", steps=10).rows
    assert all(row.max_error is None for row in rows if row.output == "c")


def test_both_directions_cannot_be_fed_call_by_call(follow, make):
    both = ModelConfig(head="layer", peephole="full", input_size=3, hidden_size=4, bidirectional=True)
    with pytest.raises(LstmbenchError, match="fed call by call"):
        follow(make(both), "numpy")
