"""Of parts of tensors that are wrong no more is accused than is so; functions of right logits are named."""

import sys
from pathlib import Path

import numpy as np
import pytest

from lstmbench.check.differences import gates, heads
from lstmbench.check.differences.isolated import Model
from lstmbench.check.differences.tokens import Tokens

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


def test_without_the_fewest_terms_a_right_one_would_be_accused(monkeypatch):
    monkeypatch.setattr(gates, "fewest", lambda _part, found: found)
    config, weights, planting = two_terms()
    assert "peephole" in study.search_one(config, weights, planting, "loop", "fp32").terms


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


def test_a_limit_that_other_states_do_not_reach_is_no_wrong_bias(monkeypatch):
    monkeypatch.setattr(
        heads, "_joined", lambda _asked, probe: probe
    )  # as if nothing were known of the call that was wrong
    config, weights = plantings.model("none", "lm", 1)
    wrong = blocks.reading(config, weights, lambda x: np.minimum(x, np.float32(x.max() - 1e-3)))
    place = study.search_one(
        config, weights, plantings.Planting("", plantings.Truth("output", None), weights, wrong), "scan", "fp32"
    )
    assert "bias" not in place.words


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
