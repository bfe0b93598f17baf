"""Rounded operands of products fail an fp32 export, by name where that can be told; no other mistake has the name."""

import numpy as np
import pytest

from lstmbench.check.cases import plan
from lstmbench.check.examine import Task, examine
from lstmbench.check.ledger import Ledger
from lstmbench.check.oracle import Oracle
from lstmbench.model.rounding import bfloat16, half, shortened
from lstmbench.model.weights import random_weights
from lstmbench.records import ModelConfig
from lstmbench.runtimes.numpy_float32 import NumpyFloat32

CELLS, GAINS = ("full", "diagonal", "none"), (0.5, 2.0)
NAMED = {
    "RoundsOperandsToTf32": "its products look rounded to TF32 or half precision",
    "CutsOperandsToTf32": "its products look rounded to TF32 or half precision",
    "RoundsOperandsToBfloat16": "its products look rounded to bfloat16",
    "CutsOperandsToBfloat16": "its products look rounded to bfloat16",
}


def sized(peephole, head="layer"):
    sizes = {"vocabulary_size": 9} if head == "lm" else {}
    return ModelConfig(head=head, peephole=peephole, input_size=12, hidden_size=12, num_layers=2, **sizes)


@pytest.fixture
def found(plugins, make):
    """The first failed case of an adapter that is put to all of a plan, and what it looks like."""
    import judging

    from lstmbench.check import asking, rows

    def found(exported, runtime, shapes=((1, 1), (2, 3))):
        oracle, worker, about = Oracle(exported), judging.Asked(exported, runtime), judging.subject(exported)
        for case in plan(exported, shapes):
            question = oracle.ask(case)
            answer = asking.put(worker, case, question)
            if rows.first_failure(rows.judged(about, case, question, answer)):
                return oracle.looks(case, question, answer)
        return None

    return found


@pytest.mark.parametrize("head", ["layer", "lm"])
@pytest.mark.parametrize("gain", GAINS)
@pytest.mark.parametrize("peephole", CELLS)
def test_rounded_operands_fail_and_are_named(make, found, peephole, gain, head):
    import planted

    exported = make(sized(peephole, head), gain=gain)
    assert {name: found(exported, getattr(planted, name)(exported, threads=1)) for name in NAMED} == NAMED


@pytest.mark.parametrize(("stored", "name"), [(half, "half precision"), (bfloat16, "bfloat16")])
@pytest.mark.parametrize("peephole", CELLS)
def test_weights_that_were_stored_in_fewer_bits_are_named_as_such(make, found, peephole, stored, name):
    exported = make(sized(peephole))
    runtime = NumpyFloat32(exported, threads=1)
    runtime._weights = {key: stored(tensor) for key, tensor in runtime._weights.items()}
    assert found(exported, runtime) == f"its weights look rounded to {name}"


@pytest.mark.parametrize("peephole", CELLS)
def test_no_other_mistake_has_such_a_name(make, found, peephole):
    import mistakes
    import planted

    exported = make(sized(peephole))
    right = random_weights(exported.model, seed=3)
    for name, plant in mistakes.of(exported.model).items():
        if name != "weights in bfloat16":
            runtime = NumpyFloat32(exported, threads=1)
            runtime._weights = plant(right)
            assert found(exported, runtime) == "", name
    for mistake in (*planted.WRONG, *planted.OF_THE_STATE):
        assert not found(exported, mistake(exported, threads=1)), mistake


def test_what_lies_behind_the_ends_of_rows_may_be_no_number(make, found):
    import planted

    exported = make(sized("full"), lengths=True)
    assert found(exported, planted.MasksByMultiplying(exported, threads=1)) == "", "seen by NaN and 1e30 alone"


def test_the_verdict_bears_the_name(inline, make, tmp_path):
    exported = make(sized("full"))
    task = Task(exported, Oracle(exported), plan(exported, ((1, 1),)), "planted:RoundsOperandsToTf32", 1)
    ledger = Ledger(tmp_path)
    refused = examine(task, ledger, lambda _line: None).refused
    assert refused.startswith("failed the check at (B=1, T=1)")
    assert refused.endswith("; its products look rounded to TF32 or half precision")


@pytest.mark.parametrize(("bits", "stored"), [(7, bfloat16), (10, half)])
def test_so_many_bits_are_those_of_the_format(bits, stored):
    values = np.random.default_rng(0).uniform(0.01, 2, 10_000).astype(np.float32)
    assert np.array_equal(shortened(values, bits), stored(values))
    cut = shortened(values, bits, cut=True)
    assert (cut <= values).all()
    assert (values - cut < values * 2.0**-bits).all()
    assert np.array_equal(shortened(-values, bits, cut=True), -cut)
