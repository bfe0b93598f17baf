"""Of parts of tensors that are wrong no more is accused than is so; functions of right logits are named."""

import sys
from pathlib import Path

import numpy as np
import pytest

from lstmbench.arrays import State
from lstmbench.check.differences import heads
from lstmbench.check.differences.fewest import fewest
from lstmbench.check.differences.fit import MORE, Problem, fit
from lstmbench.check.differences.isolated import Model
from lstmbench.check.differences.parts import PARTS, Part
from lstmbench.check.differences.tokens import Tokens
from lstmbench.model import reference, stimulus

pytest.importorskip("onnxruntime")
sys.path.insert(0, str(Path(__file__).parent))
import blocks
import plantings
import study

TWO_TERMS = "W halved: all × all and U gone: some units × all"


def two_terms():
    """What a fit with every term free explains by a peephole, too, in one unit."""
    config, weights = plantings.model("diagonal", "layer", 97_001)
    planted = blocks.of_blocks(config, weights, 1, 0, seed=9701)
    return config, weights, next(one for one in planted if one.name == TWO_TERMS)


def test_a_term_that_the_answers_can_do_without_is_not_accused():
    config, weights, planting = two_terms()
    place = study.search_one(config, weights, planting, "loop", "fp32")
    assert (place.layer, place.terms) == (1, ("input weights", "recurrent weights"))


def test_of_two_explanations_that_meet_every_answer_the_one_of_fewer_terms_is_taken():
    """Of a gate whose value is z², x being off: all of θ with the other sign gives it too, and accuses every term."""
    rng = np.random.default_rng(0)
    want = rng.uniform(1, 2, (4, 1, PARTS["c"].start + 3))
    right = want + np.where(np.arange(want.shape[2]) < PARTS["x"].stop, 0.01, 0)
    design = rng.uniform(0, 1, (4, 60, want.shape[2]))
    z = np.einsum("uqn,ugn->ugq", design, right)
    problem = Problem(design, z[:, 0], z[:, 0] ** 2, lambda z, _known: (z[:, 0] ** 2, 2 * z))
    part = Part(slice(3, 4), problem, want, np.arange(4), 1e-9)
    mirrored = fit(problem, -right)
    assert accused(part, mirrored) == {"x", "h", "c"}
    assert accused(part, fewest(part, mirrored)) == {"x"}


def accused(part, found):
    assert (found.least <= part.bound).all()
    over = np.abs(found.theta - part.want) > found.spread * part.bound + MORE
    return {term for term, columns in PARTS.items() if over[..., columns].any()}


@pytest.mark.parametrize("words", blocks.functions(1))
def test_a_function_of_right_logits_is_named(words):
    config, weights = plantings.model("none", "lm", 1)
    planting = next(one for one in blocks.of_logits(config, weights) if words in one.name)
    place = study.search_one(config, weights, planting, "scan", "fp32")
    assert (place.part, place.terms) == ("output", ("projection",))
    assert words in place.words


def test_logits_that_are_a_function_of_another_kind_are_no_projection():
    config, weights = plantings.model("none", "lm", 1)
    wrong = plantings.Planting("", plantings.Truth("output", None), weights, blocks.reading(config, weights, np.sin))
    place = study.search_one(config, weights, wrong, "scan", "fp32")
    assert (place.terms, place.words) == (("projection",), "the logits are no projection of h, which is right")


def reached_once():
    """What is said of a limit that the largest logit of the run alone is above."""
    config, weights = plantings.model("none", "lm", 1)
    state = stimulus.state(config, batch=plantings.B, seed=78)
    largest = reference.run(config, weights, plantings.run_inputs(config), state)[0].max()
    wrong = blocks.reading(config, weights, lambda x: np.minimum(x, np.float32(largest - 1e-3)))
    planting = plantings.Planting("", plantings.Truth("output", None), weights, wrong)
    return study.search_one(config, weights, planting, "scan", "fp32").words


def test_a_limit_that_other_states_do_not_reach_is_no_wrong_bias():
    assert "bias" not in reached_once()


def test_without_the_row_that_was_wrong_a_bias_would_be_blamed(monkeypatch):
    def others(model, wrong):
        zeros = np.zeros(model.config.state_shape(64), np.float32)
        return np.repeat(wrong.inputs[wrong.here : wrong.here + 1], 64, axis=0), State(zeros, zeros)

    monkeypatch.setattr(heads, "_again", others)
    monkeypatch.setattr(heads, "_joined", lambda _asked, probe: probe)
    assert "the projection's bias" in reached_once()


@pytest.mark.parametrize("form", ["scan", "lstm"])
@pytest.mark.parametrize("value", [np.inf, 3.0])
def test_one_token_whose_embedding_is_wrong_is_named_and_no_weights(form, value):
    place = with_embedding(value, form)
    assert (place.layer, place.gates, place.terms) == (0, "ifgo", ("input",))
    assert place.words == "the embedding of token 4 is wrong"


def test_an_embedding_that_is_no_number_blames_no_weights():
    assert with_embedding(np.nan, "scan").terms == ()


def with_embedding(value, form):
    """What is said of one number of one token's embedding."""
    config, weights = plantings.model("diagonal", "lm", 1)
    array = weights["embedding.weight"].copy()
    array[4, 1] = value
    planting = plantings.Planting("", plantings.Truth("layer", 0), weights | {"embedding.weight": array})
    return study.search_one(config, weights, planting, form, "fp32")


@pytest.mark.parametrize(("over", "rank", "said"), [
    (1e6, 5, "the embedding of token 4 is wrong"),
    (2.0, 5, ""),  # so little may come from weights that show at no other token
    (1e6, 4, ""),  # nor do the others see all weights
])  # fmt: skip
def test_an_embedding_is_blamed_where_no_weights_can_be(over, rank, said):
    rng = np.random.default_rng(0)
    embedding = rng.standard_normal((20, rank)) @ rng.standard_normal((rank, 5))
    config, weights = plantings.model("none", "lm", 1)
    model = Model(plantings.exported(config, "scan"), weights | {"embedding.weight": embedding})
    counted = np.where(np.arange(20) == 4, over, 0.5)
    assert Tokens(20, [4], {}, counted).alone(model) == said
