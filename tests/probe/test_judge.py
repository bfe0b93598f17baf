"""Every mistake in every row is found, and named by its own name or by one that gives the same numbers."""

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from lstmbench.mistakes import MISTAKES, OUTPUTS, both, right
from lstmbench.mistakes.case import run
from lstmbench.probe.features import INTEGERS, features
from lstmbench.probe.judge import judge
from lstmbench.probe.question import question

ROWS = {row.name: question(row) for row in features()}


def answers(asked, outputs):
    return [
        dict(zip(OUTPUTS, (array.astype(asked.dtype) for array in outputs(call)), strict=True)) for call in asked.calls
    ]


def wrong(mistake):
    def outputs(call):
        found = mistake.answer(call.case)
        return call.right if found is None else found

    return outputs


@pytest.mark.parametrize("asked", ROWS.values(), ids=ROWS)
def test_what_the_operator_gives_is_right(asked):
    judged = judge(asked, answers(asked, lambda call: call.right))
    assert (judged.reason, judged.resembles) == ("", "")
    assert len(judged.errors) == 3 * len(asked.calls)


@pytest.mark.parametrize("asked", ROWS.values(), ids=ROWS)
def test_what_the_operator_gives_in_the_type_of_the_row_is_right(asked):
    assert judge(asked, answers(asked, lambda call: run(call.case))).reason == ""


@pytest.mark.parametrize("name", ["P", "sequence_lens, P", "bidirectional, sequence_lens, P", "clip, P", "double, P"])
def test_a_mistake_is_named(name):
    asked = ROWS[name]
    for mistake in MISTAKES:
        if all(mistake.answer(call.case) is None for call in asked.calls) or mistake.name == "with Wb and Rb swapped":
            continue
        if name.startswith("clip") and "C_t" in mistake.name:  # which that row does not reach
            continue
        judged = judge(asked, answers(asked, wrong(mistake)))
        assert judged.reason, mistake.name
        named = {one.name: one for one in MISTAKES}[judged.resembles]
        for call in asked.calls:
            for one, other, allowed in zip(
                named.answer(call.case), mistake.answer(call.case), call.tolerances, strict=True
            ):
                assert named is mistake or np.abs(one - other).max() <= 2 * allowed


@pytest.mark.parametrize("name", [n for n, asked in ROWS.items() if asked.feature.form in INTEGERS or "fp16" in n])
def test_peepholes_that_are_lost_are_named_in_low_precision_too(name):
    for mistake in MISTAKES[:9]:  # of P
        if mistake.answer(ROWS[name].calls[0].case) is not None:
            assert judge(ROWS[name], answers(ROWS[name], wrong(mistake))).resembles == mistake.name


@pytest.mark.parametrize(
    ("name", "pair"),
    [
        ("input_forget, P", "without P, without input_forget"),
        ("clip of C_t, P", "without P, without clip on C_t"),
        ("double, P", "without P, in float32"),
        ("bidirectional, sequence_lens, P", "without P, without sequence_lens"),
    ],
)
def test_two_mistakes_at_once_are_named(name, pair):
    first, second = (one for part in pair.split(", ") for one in MISTAKES if one.name == part)
    judged = judge(ROWS[name], answers(ROWS[name], wrong(both(first, second))))
    assert judged.resembles == pair


@pytest.mark.parametrize("asked", ROWS.values(), ids=ROWS)
def test_noise_is_wrong_in_every_row_and_no_mistakes(asked):
    rng = np.random.default_rng(5)
    noise = answers(asked, lambda call: [array + rng.normal(size=array.shape) for array in call.right])
    judged = judge(asked, noise)
    assert judged.resembles == ""
    assert bool(judged.reason) == (asked.feature.name != "B = 0")  # which has no numbers


def test_an_answer_that_is_no_known_mistakes_is_wrong_all_the_same():
    asked = ROWS["P"]
    judged = judge(asked, answers(asked, lambda call: [array + 1e-3 for array in call.right]))
    assert judged.resembles == ""
    assert "off by 1.0e-03, allowed" in judged.reason


@settings(deadline=None)  # a shared machine may pause anywhere
@given(share=st.floats(-4, 4), output=st.sampled_from([0, 1, 2]), at=st.integers(0, 20))
def test_an_answer_is_right_as_far_as_its_tolerance_and_no_further(share, output, at):
    assume(abs(abs(share) - 1) > 0.1)  # float32 holds the operator's own numbers to a twentieth of a tolerance
    asked = ROWS["LSTM"]
    got = answers(asked, lambda call: call.right)
    got[0][OUTPUTS[output]].reshape(-1)[at] += np.float32(share * asked.calls[0].tolerances[output])
    assert (judge(asked, got).reason == "") == (abs(share) < 1)


def test_the_reason_names_the_element_that_is_off_most():
    asked = ROWS["LSTM"]
    got = answers(asked, lambda call: call.right)
    got[0]["Y_h"][0, 1, 2] += 0.5
    assert judge(asked, got).reason.startswith("Y_h[0, 1, 2] is ")


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda got: got.pop("Y_h"), "Y_h is not given"),
        (
            lambda got: got.update(Y=got["Y"][:2]),
            "Y is float32 (2, 1, 3, 7), the operator gives float32 (4, 1, 3, 7)",
        ),
        (
            lambda got: got.update(Y=got["Y"].astype(np.float64)),
            "Y is float64 (4, 1, 3, 7), the operator gives float32",
        ),
        (lambda got: got.update(Y_c=got["Y_c"] * np.nan), "Y_c[0, 0, 0] is nan, the operator gives"),
        (lambda got: got["Y_c"].__setitem__((0, 2, 1), np.inf), "Y_c[0, 2, 1] is inf, the operator gives"),
    ],
)
def test_what_is_no_number_in_place_is_wrong(change, reason):
    asked = ROWS["LSTM"]
    got = answers(asked, lambda call: call.right)
    change(got[0])
    judged = judge(asked, got)
    assert judged.reason.startswith(reason)
    assert judged.resembles == ""


def test_of_several_sizes_the_one_that_is_wrong_is_named():
    asked = ROWS["dynamic T"]
    got = answers(asked, lambda call: call.right)
    got[2]["Y"] = got[2]["Y"] + np.float32(0.5)
    judged = judge(asked, got)
    assert judged.reason.endswith("at B=3, T=7")
    assert judged.resembles == ""  # a mistake would have shown at every size


def test_a_question_is_another_when_what_is_asked_or_allowed_changes():
    asked = ROWS["P"]
    call = asked.calls[0]
    others = [
        asked._replace(model=asked.model + b"\0"),
        asked._replace(calls=(call._replace(feeds=call.feeds | {"X": call.feeds["X"] + 1}),)),
        asked._replace(calls=(call._replace(right=right(call.case.without("P"))),)),
        asked._replace(calls=(call._replace(tolerances=(1.0, 1.0, 1.0)),)),
    ]
    assert len({one.sha256 for one in (asked, *others)}) == 5
    assert question(asked.feature).sha256 == asked.sha256
