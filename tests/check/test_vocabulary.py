"""Every row of the embedding, every column of the projection and every entry of its bias is asked for and compared."""

import msgspec
import numpy as np
import pytest

from lstmbench.check import vocabulary
from lstmbench.check.cases import plan
from lstmbench.check.oracle import Oracle
from lstmbench.model.rounding import rounded
from lstmbench.model.weights import random_weights
from lstmbench.records import ModelConfig
from lstmbench.runtimes.numpy_float32 import NumpyFloat32

LM = ModelConfig(head="lm", peephole="diagonal", input_size=6, hidden_size=8, vocabulary_size=40)
LARGE = msgspec.structs.replace(LM, vocabulary_size=10_000)


@pytest.fixture
def judging(plugins):
    import judging

    return judging


@pytest.fixture
def in_calls_of(monkeypatch):
    def set_to(rows, V):
        monkeypatch.setattr(vocabulary, "MOST", rows * V)

    return set_to


def off_at(weights, name, row, by=0.01):
    changed = weights[name].copy()
    changed[row] += np.float32(by)
    return weights | {name: changed}


def with_weights(exported, weights, config=None):
    runtime = NumpyFloat32(exported, threads=1)
    runtime._weights, runtime._config = weights, config or exported.model
    return runtime


def in_precision(exported, precision):
    file = f"{exported.record.form}-{precision}.onnx"
    return msgspec.structs.replace(
        exported, record=msgspec.structs.replace(exported.record, file=file, precision=precision)
    )


def asked(exported):
    return [case for case in plan(exported, [(1, 1)]) if case.asked == "vocabulary"]


@pytest.mark.parametrize("form", ["scan", "step", "unrolled2", "unrolled5", "generate"])
@pytest.mark.parametrize("rows", [1, 7, 40])
def test_each_token_is_read_first_or_soon_once_and_all_columns_are_compared(recorded, in_calls_of, form, rows):
    in_calls_of(rows, 40)
    exported = recorded(LM, form=form)
    cases = asked(exported)
    assert len(set(cases)) == len(cases)
    few = min(exported.steps or 1, 3)
    read = [vocabulary.tokens(case, 40)[:, :few].ravel() for case in cases]
    assert sorted(set(np.concatenate(read))) == list(range(40))
    assert sum(map(len, read)) < 40 + len(cases) * few
    kept = [np.arange(40)[vocabulary.columns(case, 40)] for case in cases]
    assert sorted(np.concatenate(kept)) == list(range(40))
    assert all(case.batch * case.time * 40 <= max(rows, case.time) * 40 for case in cases)


def test_features_are_no_vocabulary(recorded):
    assert not asked(recorded(LM.layers_only()))


@pytest.mark.parametrize("form", ["scan", "step", "unrolled5"])
@pytest.mark.parametrize("name", ["embedding.weight", "decoder.weight", "decoder.bias"])
@pytest.mark.parametrize("rows", [7, 40])
def test_one_row_that_is_off_fails_wherever_it_stands(judging, make, in_calls_of, form, name, rows):
    in_calls_of(rows, 40)
    exported = make(LM, form=form)
    oracle, cases, right = Oracle(exported), asked(exported), random_weights(LM, seed=3)
    assert judging.refused(exported, oracle, cases, with_weights(exported, right)) is None
    for row in (0, 17, 39):
        failed = judging.refused(exported, oracle, cases, with_weights(exported, off_at(right, name, row)))
        assert failed, row
        if name != "embedding.weight":
            assert failed.worst_index[-1] == row


@pytest.mark.parametrize("tied", [False, True])
@pytest.mark.parametrize("row", [0, 6_001, 9_999])
def test_of_ten_thousand_tokens_none_is_left_out(judging, make, row, tied):
    exported = make(msgspec.structs.replace(LARGE, input_size=8, tie_weights=tied))
    oracle, cases, right = Oracle(exported), asked(exported), random_weights(exported.model, seed=3)
    each = cases[0].batch
    assert len(cases) == -(-10_000 // each) > 1
    cases = [case for case in cases if case.first_token <= row < case.first_token + each]
    assert judging.refused(exported, oracle, cases, with_weights(exported, right)) is None
    own = right | {"decoder.weight": right.get("decoder.weight", right["embedding.weight"])}
    untied = msgspec.structs.replace(exported.model, tie_weights=False)  # an exporter that keeps two copies
    wrong = with_weights(exported, off_at(own, "embedding.weight", row), untied)
    assert judging.refused(exported, oracle, cases, wrong).worst_index[0] == row - cases[0].first_token


def test_a_few_hundred_tokens_of_ten_thousand_miss_a_row_that_is_off(judging, make):
    """What the other cases see: without those of the vocabulary such a file passes."""
    exported = make(LARGE)
    others = [case for case in plan(exported, [(1, 1), (2, 5)]) if case.asked != "vocabulary"]
    wrong = with_weights(exported, off_at(random_weights(LARGE, seed=3), "embedding.weight", 6_001, by=1.0))
    assert judging.refused(exported, Oracle(exported), others, wrong) is None


@pytest.mark.parametrize(("precision", "by"), [("fp16", 0.1), ("int4", 0.01), ("int8", 0.5)])
@pytest.mark.parametrize("name", ["embedding.weight", "decoder.weight", "decoder.bias"])
def test_in_lower_precisions_what_is_off_by_more_than_they_round_fails(judging, make, precision, by, name):
    exported = in_precision(make(LM), precision)
    oracle, cases, right = Oracle(exported), asked(exported), random_weights(LM, seed=3)
    config, held = rounded(LM, right, precision)
    assert judging.refused(exported, oracle, cases, with_weights(exported, held, config)) is None
    for row in (0, 39):
        assert judging.refused(exported, oracle, cases, with_weights(exported, off_at(held, name, row, by), config))


@pytest.mark.parametrize("name", ["embedding.weight", "decoder.weight", "decoder.bias"])
@pytest.mark.parametrize("rows", [7, 40])
def test_a_graph_that_draws_shows_it_in_its_tokens_and_its_state(judging, make, in_calls_of, name, rows):
    in_calls_of(rows, 40)
    exported = make(LM, form="generate")
    oracle, cases, right = Oracle(exported), asked(exported), random_weights(LM, seed=3)
    assert judging.refused(exported, oracle, cases, with_weights(exported, right)) is None
    for row in (0, 17, 39):
        for by in (0.1, -0.1):
            wrong = with_weights(exported, off_at(right, name, row, by))
            assert judging.refused(exported, oracle, cases, wrong), (row, by)
