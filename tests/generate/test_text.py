"""A graph that draws itself writes what the step-wise road writes, for the same seed."""

import msgspec
import numpy as np
import pytest

from lstmbench.export import export
from lstmbench.generate import Sampling, Step, first_parting, generate, told_fragile
from lstmbench.model import folder
from lstmbench.model.weights import random_weights
from lstmbench.records import ModelConfig, ModelFolder
from lstmbench.worker import Worker

pytest.importorskip("onnxruntime")

PROMPT = np.array([3, 1, 4, 1, 5])
HOW = [Sampling(tokens=60, temperature=t, top_k=k, seed=s) for t, k, s in ((0.0, 0, 0), (0.8, 0, 1), (1.0, 4, 2))]


@pytest.fixture(scope="module", params=["full", "diagonal"])
def roads(request, tmp_path_factory):
    """The same model as a scan or LSTM operator, a step and a graph that draws."""
    path = tmp_path_factory.mktemp("roads") / "tiny"
    made = ModelConfig(
        head="lm", peephole=request.param, input_size=5, hidden_size=16, num_layers=2, vocabulary_size=30
    )
    folder.write_config(path, ModelFolder(model=made))
    folder.write_weights(path, random_weights(made, seed=4), folder.WeightsNote(sha256=""))
    return {form: export(path, form=form) for form in ("scan", "step", "generate")}


def text(exported, sampling, runtime="onnxruntime-cpu"):
    with Worker(runtime, exported) as worker:
        return list(generate(worker, PROMPT, sampling))


@pytest.mark.parametrize("sampling", HOW, ids=str)
def test_the_text_is_the_same_until_a_draw_is_fragile(roads, sampling):
    drawn, stepped = text(roads["generate"], sampling), text(roads["step"], sampling)
    assert len(drawn) == 60
    assert [step.number for step in drawn] == list(range(1, 61))
    parting = first_parting(iter(stepped), iter(drawn))
    assert parting is None or parting.fragile
    assert first_parting(iter(drawn), iter(text(roads["generate"], sampling, "numpy"))) is None


def test_a_seed_decides_the_text(roads):
    one, other = (msgspec.structs.replace(HOW[1], seed=seed) for seed in (5, 6))
    assert text(roads["generate"], one) == text(roads["generate"], one) != text(roads["generate"], other)


def test_the_reference_tells_which_draws_of_a_graph_are_fragile(roads):
    exported, sampling = roads["generate"], HOW[1]
    steps = text(exported, sampling)
    assert [step.fragile for step in told_fragile(exported, PROMPT, sampling, steps)] == [
        step.fragile for step in text(roads["step"], sampling)
    ]
    # with logits off by half everything is on an edge
    loose = [msgspec.structs.replace(check, bound=0.5) for check in exported.record.verified]
    record = msgspec.structs.replace(exported.record, verified=tuple(loose))
    told = told_fragile(msgspec.structs.replace(exported, record=record), PROMPT, sampling, steps)
    assert all(step.fragile for step in told)
    assert [step.token for step in told] == [step.token for step in steps]


def test_a_text_that_parts_is_seen():
    one = [Step(1, 5, fragile=False), Step(2, 6, fragile=False)]
    assert first_parting(iter(one), iter([one[0], Step(2, 7, fragile=False)])) == (2, (6, 7), False)
