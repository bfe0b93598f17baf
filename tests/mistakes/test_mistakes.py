"""Mistakes are what they say: each against the formula by hand or the evaluator at another question."""

import numpy as np
import pytest

from lstmbench.evaluator import Attributes, lstm
from lstmbench.mistakes import MISTAKES, Case, right
from lstmbench.mistakes.steps import _Step

T, B, E, H = 4, 3, 3, 5
NAMED = {mistake.name: mistake for mistake in MISTAKES}


def case(D=1, *without, **how):
    rng = np.random.default_rng(3)
    shapes = {"X": (T, B, E), "W": (D, 4 * H, E), "R": (D, 4 * H, H), "B": (D, 8 * H), "P": (D, 3 * H)}
    shapes |= {"initial_h": (D, B, H), "initial_c": (D, B, H)}
    tensors = {name: rng.normal(size=shape) for name, shape in shapes.items()}
    tensors["sequence_lens"] = np.array([2, 4, 3], np.int32)
    how = {"direction": "bidirectional" if D == 2 else "forward"} | how
    return Case(tensors, Attributes(**how)).without(*without)


def answer(name, asked):
    return NAMED[name].answer(asked)


def equal(one, other):
    return all(np.allclose(a, b, rtol=0, atol=1e-12) for a, b in zip(one, other, strict=True))


def sigmoid(z):
    return 1 / (1 + np.exp(-z))


def test_names_are_their_own():
    assert len(NAMED) == len(MISTAKES) > 60


def test_every_order_of_gates_and_of_peepholes_is_there():
    assert sum(name.startswith("with gates read as") for name in NAMED) == 23
    assert sum(name.startswith("with P read as") for name in NAMED) == 5


def test_a_step_without_a_mistake_is_the_evaluators_own():
    for how in ({}, {"clip": 0.5}, {"input_forget": True}):
        assert equal(right(case(**how)), right(case(**how), step=_Step()))


def test_an_order_of_p_takes_the_block_that_stands_there():
    asked = case()
    i, o, f = asked.tensors["P"].reshape(3, H)
    read_as_ifo = np.concatenate([i, f, o])[None]  # the operator's order is i, o, f: its f is what stood second
    assert equal(answer("with P read as i, f, o", asked), right(asked.but(P=read_as_ifo)))


def test_an_order_of_gates_takes_w_r_and_both_biases():
    asked = case()
    i, o, f, c = (np.arange(n * H, (n + 1) * H) for n in range(4))
    # blocks read as i, f, c, o: what the engine takes for o stood last, for f second, for c third
    rows = np.concatenate([i, c, o, f])
    other = {"W": asked.tensors["W"][:, rows], "R": asked.tensors["R"][:, rows]}
    other["B"] = asked.tensors["B"][:, np.concatenate([rows, 4 * H + rows])]
    assert equal(answer("with gates read as i, f, c, o", asked), right(asked.but(**other)))


def test_an_output_gate_that_peeps_too_early():
    asked = case(1, "sequence_lens").but(X=case().tensors["X"][:1])
    X, W, R, bias, P, h, c = (asked.tensors[n] for n in ("X", "W", "R", "B", "P", "initial_h", "initial_c"))
    z = X[0] @ W[0].T + h[0] @ R[0].T + bias[0, : 4 * H] + bias[0, 4 * H :]
    i, o, f, g = np.split(z, 4, axis=1)
    p_i, p_o, p_f = P[0].reshape(3, H)
    c_next = sigmoid(f + p_f * c[0]) * c[0] + sigmoid(i + p_i * c[0]) * np.tanh(g)
    _, Y_h, Y_c = answer("with o peeping at c of the step before", asked)
    np.testing.assert_allclose(Y_c[0], c_next, rtol=0, atol=1e-12)
    np.testing.assert_allclose(Y_h[0], sigmoid(o + p_o * c[0]) * np.tanh(c_next), rtol=0, atol=1e-12)


def test_swapped_biases_cannot_be_seen_and_lost_ones_can():
    asked = case()
    assert equal(answer("with Wb and Rb swapped", asked), right(asked))
    for name in ("without Wb", "without Rb", "with half of B"):
        assert not equal(answer(name, asked), right(asked))


def test_a_reverse_direction_that_starts_at_t_reads_behind_the_end_of_a_row():
    asked = case(direction="reverse")
    wrong = answer("with the reverse direction starting at T in every row", asked)
    truth = right(asked)
    for n in (0, 1):
        whole = asked.tensors["sequence_lens"] == T
        np.testing.assert_allclose(wrong[1 + n][0][whole], truth[1 + n][0][whole], rtol=0, atol=1e-12)
        assert not np.allclose(wrong[1 + n][0][~whole], truth[1 + n][0][~whole], atol=1e-3)


def test_of_two_directions_the_first_is_untouched_where_the_second_is_wrong():
    asked = case(2)
    for name in (
        "with Y of the reverse direction in the order of its steps",
        "with the reverse direction starting at T in every row",
        "with the weights of the first direction in both",
    ):
        wrong, truth = answer(name, asked), right(asked)
        np.testing.assert_allclose(wrong[0][:, 0], truth[0][:, 0], rtol=0, atol=1e-12)
        assert not np.allclose(wrong[0][:, 1], truth[0][:, 1], atol=1e-3)


def test_a_batch_first_operator_that_is_read_time_first():
    asked = case(1, "sequence_lens", layout=0)
    turned = {n: asked.tensors[n].swapaxes(0, 1).copy() for n in ("X", "initial_h", "initial_c")}
    wrong = answer("with B and T of X taken for each other", asked.but(**turned).told(layout=1))
    truth = right(asked.but(**turned).told(layout=1))
    assert [a.shape for a in wrong] == [a.shape for a in truth]
    assert not equal(wrong, truth)


def test_the_last_step_is_dropped_in_every_row():
    asked = case()
    short = lstm(**asked.tensors | {"sequence_lens": asked.tensors["sequence_lens"] - 1}, how=asked.how)
    assert equal(answer("without the last step", asked), short)


def test_bfloat16_is_what_the_libraries_round_to():
    ml_dtypes = pytest.importorskip("ml_dtypes")
    asked = case().into(np.float32)
    rounded = {n: asked.tensors[n].astype(ml_dtypes.bfloat16).astype(np.float32) for n in "WRBP"}
    assert equal(answer("with weights in bfloat16", asked), right(asked.but(**rounded)))


def test_float32_is_a_mistake_of_double_alone():
    assert answer("in float32", case().into(np.float32)) is None
    off = np.abs(answer("in float32", case())[0] - right(case())[0]).max()
    assert 1e-9 < off < 1e-5


@pytest.mark.parametrize("mistake", MISTAKES, ids=[mistake.name for mistake in MISTAKES])
def test_what_a_case_does_not_have_cannot_be_taken_wrongly(mistake):
    """A plain forward LSTM has no peepholes, lengths, states, clip, ... and gives no answer for their mistakes."""
    plain = case(1, "P", "sequence_lens", "initial_h", "initial_c").into(np.float32)
    words = ("P ", "P_", "peep", "sequence_lens", "initial", "clip", "input_forget", "activations", "alpha")
    words += ("reverse", "direction", "forwards", "B and T", "end of a row", "last row", "float32", "no step")
    named = any(word in f"{mistake.name} " for word in words)
    assert (mistake.answer(plain) is None) == named
