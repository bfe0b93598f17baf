"""What `check --bisect` names is what was planted, or less; the study that counts it, on a few of its plantings."""

import sys
from pathlib import Path

import msgspec
import numpy as np
import pytest

from lstmbench.check.differences.box import Box
from lstmbench.check.differences.isolated import Model
from lstmbench.check.differences.search import search
from lstmbench.check.differences.wrong_runs import Run
from lstmbench.model import stimulus

pytest.importorskip("onnxruntime")
sys.path.insert(0, str(Path(__file__).parent))
import plantings
import study

CELLS = ("diagonal", "none")


def found(planting, config, weights, form="scan", precision="fp32"):
    return study.search_one(config, weights, planting, form, precision)


def named(some, name):
    return next(planting for planting in some if planting.name == name)


@pytest.mark.parametrize("only", ["fp32", "int8", "fp16"])
def test_of_a_sample_of_the_study_nothing_is_said_that_is_not_so(only):
    cases = [case for case in study.cases(11) if case[4] == only][:: 90 if only == "fp32" else 9]
    scores = [study.scored(11, *case) for case in cases]
    assert [score.said for score in scores if "wrong" in score.marks] == []
    assert sum("seen" in score.marks for score in scores) >= 0.7 * len(scores) > 2


@pytest.mark.parametrize("cell", CELLS)
def test_integers_show_the_layer_alone(cell):
    config, weights = plantings.model(cell, "layer", 3)
    planting = named(plantings.of_weights(config, weights, 1, 0), "with R transposed")
    place = found(planting, config, weights, "lstm", "int8")
    assert (place.part, place.layer, place.gates, place.terms) == ("layer", 1, "", ())
    assert "what inside is wrong is not told" in place.words


@pytest.mark.parametrize("cell", CELLS)
def test_a_layer_run_in_reverse_is_told_from_a_run_that_goes_backwards(cell):
    config, weights = plantings.model(cell, "layer", 4)
    for k in (0, 1):
        planting = named(plantings.of_wiring(config, weights, k), "layer run in reverse")
        place = found(planting, config, weights)
        assert (place.part, place.layer) == ("joining", k)
        assert f"layer {k} is run in reverse" in place.words


@pytest.mark.parametrize("cell", CELLS)
@pytest.mark.parametrize(("name", "words"), [
    ("layer started from another's h c", "it starts from the state of layer 0"),
    ("layer started from another's h", "its h starts from the state of layer 0"),
    ("layer started from another's c", "its c starts from the state of layer 0"),
    ("started from the last state below", "it starts from the state that layer 0 ends in"),
])  # fmt: skip
def test_a_state_of_another_layer_is_no_mistake_of_weights(cell, name, words):
    config, weights = plantings.model(cell, "lm", 5)
    place = found(named(plantings.of_wiring(config, weights, 1), name), config, weights)
    assert (place.layer, place.gates, place.terms, place.words) == (1, "", (), words)


@pytest.mark.parametrize("at", range(4))
def test_of_many_steps_in_one_call_the_first_that_is_wrong_is_told(at):
    config, weights = plantings.model("diagonal", "layer", 6)
    planting = named(plantings.of_steps(config, weights, 1, 4), f"step {at} of 4 without h")
    place = found(planting, config, weights, "unrolled4")
    assert (place.layer, place.step) == (1, at)


def test_a_step_that_no_output_shows_is_not_claimed():
    """The last c alone is off: the outputs of the call are right, so no step of it can be named."""
    config, weights = plantings.model("diagonal", "layer", 6)
    right = plantings.Engine(config, weights, (0, 0), plantings.RIGHT)

    def call(inputs, state):
        output, (h, c) = right(inputs, state)
        return output, plantings.State(h, c + np.float32(0.01))

    truth = plantings.Truth("layer", 0)
    place = found(plantings.Planting("c", truth, weights, call), config, weights, "unrolled4")
    assert (place.layer, place.step) == (0, None)
    assert "in the call of steps 0 to 3" in place.words


def test_a_weight_that_is_no_number_shows_its_unit_and_what_can_be_told_of_its_gate():
    config, weights = plantings.model("none", "layer", 7)
    H = config.hidden_size
    for gate, gates, words in (("o", "o", "where c' is finite"), ("f", "", "gate i, f or g")):
        wrong = weights["lstm.weight_hh_l1"].copy()
        wrong["ifgo".index(gate) * H + 3, 0] = np.nan
        planting = plantings.Planting("NaN", plantings.Truth("layer", 1), weights | {"lstm.weight_hh_l1": wrong})
        place = found(planting, config, weights)
        assert (place.layer, place.gates, place.terms, place.got) == (1, gates, (), None)
        assert "not a finite number in unit 3 alone" in place.words
        assert words in place.words


def test_a_model_that_is_not_finite_itself_is_not_blamed_on_a_layer():
    config, weights = plantings.model("none", "layer", 7)
    weights["lstm.weight_hh_l1"][0, 0] = np.nan
    place = found(plantings.Planting("NaN", plantings.Truth("layer", 1), weights), config, weights)
    assert (place.part, place.layer) == ("unanswered", None)
    assert "the model itself holds what is not finite, in lstm.weight_hh_l1" in place.words


@pytest.mark.parametrize("width", ["bfloat16", "float16"])
def test_weights_in_sixteen_bits_are_named_whichever_bias_was_rounded(width):
    config, weights = plantings.model("diagonal", "layer", 8)
    planting = named(plantings.of_weights(config, weights, 1, 0), f"with weights in {width}")
    place = found(planting, config, weights)
    assert (place.layer, place.gates, place.terms) == (1, "ifgo", planting.truth.terms)
    assert place.words.startswith(f"input weights, recurrent weights, bias and peephole in {width}")


def lengths_engine(config, weights, *, wrong):
    """Four steps a call, rows of their own lengths; from step 2 on c is off, or lengths are not looked at."""
    from lstmbench.model import reference

    def call(inputs, state, *, lengths):
        ends = np.full(len(inputs), inputs.shape[1]) if wrong == "lengths" else lengths
        y, (h, c) = reference.run(config, weights, inputs, state, lengths=ends, dtype=np.float32)
        late = wrong == "late" and ends.max() > 2
        return y, plantings.State(h, c + np.float32(0.01) * late)

    return call


def with_lengths(config, weights, *, wrong):
    """Search a file of four steps a call whose rows have lengths."""
    plain = plantings.exported(config, "unrolled4")
    exported = msgspec.structs.replace(plain, record=msgspec.structs.replace(plain.record, lengths=True))
    box = Box(study.Called(lengths_engine(config, weights, wrong=wrong)), exported)
    inputs = stimulus.inputs(config, batch=3, time=4, seed=7)
    ends = np.array([4, 1, 3], np.int32)
    call = box.call
    whole = np.full(3, 4, np.int32)
    box.call = lambda inputs, state, *, lengths=None: call(inputs, state, lengths=whole if lengths is None else lengths)
    run = Run(inputs, stimulus.state(config, batch=3, seed=8), ends, (4,))
    return search(box, Model(exported, weights), run)


@pytest.mark.parametrize(("wrong", "part", "words"), [
    ("late", "layer", "wrong in the call of steps 0 to 3, which come in one"),  # no output shows it: the state alone
    ("lengths", "layer", "lengths are ignored"),
    ("", "", ""),
])  # fmt: skip
def test_steps_behind_the_first_of_a_call_with_lengths_are_looked_at_too(wrong, part, words):
    config, weights = plantings.model("none", "layer", 6)
    place = with_lengths(config, weights, wrong=wrong)
    assert (place and (place.part, place.words)) == ((part, words) if wrong else None)


@pytest.mark.parametrize("kind", ["weight_ih", "weight_hh", "weight_ch"])
def test_a_gate_that_an_engine_makes_of_nan_is_stuck_and_no_term_is_blamed(kind):
    """ONNX Runtime's LSTM clamps what goes into σ and tanh, and NaN becomes a number there."""
    config, weights = plantings.model("diagonal", "layer", 9)
    planting = named(plantings.of_numbers(config, weights, 1, 0), f"NaN in {kind}")
    place = found(planting, config, weights, "lstm")
    assert (place.layer, place.gates, place.terms) == (1, planting.truth.gates, ())
    assert "stuck at an end whatever comes in: a weight is NaN, or far too large" in place.words


def test_integer_steps_that_add_up_are_not_called_wrongly_joined():
    config, weights = plantings.model("none", "layer", 9)
    model = Model(plantings.exported(config, "lstm", "int8"), weights)

    def call(inputs, state):
        output, h, c = (e.want.astype(np.float32) for e in model.whole(inputs, state))
        return output, plantings.State(h, c + np.float32(10) * (inputs.shape[1] > 4))

    place = found(
        plantings.Planting("late", plantings.Truth("layer", 0), weights, call), config, weights, "lstm", "int8"
    )
    assert (place.part, place.layer) == ("unknown", None)
    assert "each step alone is within its bound, and adds to what is not" in place.words
