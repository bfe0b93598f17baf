"""The bound lets every right float32 run pass, and no planted mistake."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lstmbench.model import reference, stimulus
from lstmbench.model.weights import random_weights
from lstmbench.parity import compare, expect, reorder
from lstmbench.parity.bound import K
from lstmbench.parity.horizon import FEW
from lstmbench.records import ModelConfig

CELLS = ["full", "diagonal", "none"]
GATE_ORDERS = [order for order in itertools.permutations(range(4)) if order != (0, 1, 2, 3)]
PEEPHOLE_ORDERS = [order for order in itertools.permutations(range(3)) if order != (0, 1, 2)]


class Run:
    """A model, its input and its state; `passes` judges an answer by the bound."""

    def __init__(self, peephole, *, seed=0, gain=1.0, batch=2, time=9, hidden_size=12, **sizes):
        sizes = {"head": "lm", "vocabulary_size": 15, "input_size": 6, "hidden_size": hidden_size} | sizes
        self.config = ModelConfig(peephole=peephole, **sizes)
        self.weights = random_weights(self.config, seed=seed, gain=gain)
        self.inputs = stimulus.inputs(self.config, batch=batch, time=time, seed=seed)
        self.state = stimulus.state(self.config, batch=batch, seed=seed)
        self.expected = expect(self.config, self.weights, self.inputs, self.state)

    def answer(self, weights=None, inputs=None, state=None):
        config, state = self.config, state or self.state
        inputs = self.inputs if inputs is None else inputs
        output, after = reference.run(config, weights or self.weights, inputs, state, dtype=np.float32)
        return [output, *after]

    def failing(self, answer):
        pairs = zip(answer, self.expected, strict=True)
        verdicts = [compare(got, e.want, name=e.name, bound=e.bound, judged=e.judged) for got, e in pairs]
        return [expected.name for expected, v in zip(self.expected, verdicts, strict=True) if not v.passed]


@settings(max_examples=60, deadline=None)
@given(
    peephole=st.sampled_from(CELLS),
    hidden_size=st.integers(1, 20),
    gain=st.sampled_from([0.1, 1.0, 3.0]),
    time=st.sampled_from([1, 5, 60]),
    seed=st.integers(0, 2**16),
)
def test_a_right_run_passes_in_any_order_of_summation_chaotic_or_not(peephole, hidden_size, gain, time, seed):
    run = Run(peephole, seed=seed, gain=gain, time=time, hidden_size=hidden_size)
    orders = reorder.draw(run.config, np.random.default_rng(seed + 1))
    assert not run.failing(reorder.run_float32(run.config, run.weights, run.inputs, run.state, orders))


def test_of_a_chaotic_run_the_first_steps_are_judged_narrowly_and_the_rest_and_the_states_are_reported():
    short, long = (Run("full", gain=2.0, time=time, hidden_size=48, input_size=48) for time in (1, 200))
    assert [expected.judged for expected in short.expected] == [None] * 3
    logits, h_n, c_n = long.expected
    assert FEW <= logits.judged < 100
    assert (h_n.judged, c_n.judged) == (0, 0)
    assert logits.bound < 1e-2
    assert c_n.bound > 1e-1


def test_the_bound_follows_from_what_float32_does_on_this_input():
    for expected in Run("full").expected:
        assert expected.want.dtype == np.float64
        assert 0 < K["fp32"] * expected.float32_error <= expected.bound < 1e-4


def test_no_state_means_zeros():
    run = Run("diagonal")
    zeros = tuple(np.zeros_like(array) for array in run.state)
    for one, other in zip(
        expect(run.config, run.weights, run.inputs), expect(run.config, run.weights, run.inputs, zeros), strict=True
    ):
        assert np.array_equal(one.want, other.want)
        assert one.bound == other.bound


def test_a_model_beyond_float32_passes_nothing():
    run = Run("none")
    huge = {name: np.full_like(w, 3e38) if "decoder" in name else w for name, w in run.weights.items()}
    assert not np.isfinite(expect(run.config, huge, run.inputs, run.state)[0].bound)


def in_order(tensor, order):
    return np.concatenate([np.split(tensor, len(order))[gate] for gate in order])


def planted(run, change):
    """The failing outputs after `change` of some tensors, by their names' kind."""
    return run.failing(run.answer({name: change(name, tensor) for name, tensor in run.weights.items()}))


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("peephole", ["full", "diagonal"])
def test_dropped_peepholes_fail(peephole, seed):
    run = Run(peephole, seed=seed)
    assert planted(run, lambda name, w: w * 0 if "weight_ch" in name else w) == ["logits", "h_n", "c_n"]


@pytest.mark.parametrize("order", GATE_ORDERS, ids=str)
@pytest.mark.parametrize("peephole", CELLS)
def test_every_wrong_gate_order_fails_everywhere(peephole, order):
    kinds = (
        ("weight_ih", "weight_hh", "bias", "weight_ch") if peephole == "full" else ("weight_ih", "weight_hh", "bias")
    )
    run = Run(peephole)
    changed = planted(run, lambda name, w: in_order(w, order) if name.startswith("lstm") and kind(name) in kinds else w)
    assert changed == ["logits", "h_n", "c_n"]


@pytest.mark.parametrize(
    ("peephole", "order"), [("diagonal", o) for o in PEEPHOLE_ORDERS] + [("full", o) for o in GATE_ORDERS], ids=str
)
def test_every_wrong_peephole_order_fails(peephole, order):
    run = Run(peephole)
    assert planted(run, lambda name, w: in_order(w, order) if "weight_ch" in name else w) == ["logits", "h_n", "c_n"]


def kind(name):
    return "bias" if "bias" in name else name.split(".")[1].rpartition("_l")[0]


@pytest.mark.parametrize("peephole", CELLS)
def test_weights_rounded_to_bfloat16_fail(peephole):
    def rounded(_name, tensor):
        bits = tensor.view(np.uint32)
        return ((bits + 0x8000) & 0xFFFF0000).view(np.float32)

    assert planted(Run(peephole), rounded) == ["logits", "h_n", "c_n"]


@pytest.mark.parametrize("peephole", CELLS)
def test_h_and_c_swapped_fail(peephole):
    run = Run(peephole)
    output, h, c = run.answer()
    assert run.failing([output, c, h]) == ["h_n", "c_n"]


@pytest.mark.parametrize("which", [0, 1])
@pytest.mark.parametrize("peephole", CELLS)
def test_a_state_that_is_not_carried_fails(peephole, which):
    run = Run(peephole)
    state = list(run.state)
    state[which] = np.zeros_like(state[which])
    assert run.failing(run.answer(state=tuple(state))) == ["logits", "h_n", "c_n"]


@pytest.mark.parametrize("peephole", CELLS)
def test_a_dropped_last_step_fails(peephole):
    run = Run(peephole)
    output, h, c = run.answer(inputs=run.inputs[:, :-1])
    repeated = np.concatenate([output, output[:, -1:]], axis=1)
    assert run.failing([repeated, h, c]) == ["logits", "h_n", "c_n"]


def test_one_nan_fails_in_its_own_output_only():
    run = Run("full")
    output, h, c = run.answer()
    h[0, 1, 3] = np.nan
    assert run.failing([output, h, c]) == ["h_n"]


def test_one_weight_off_by_a_thousandth_fails():
    run = Run("full")
    weights = dict(run.weights)
    weights["lstm.weight_ch_l0"] = weights["lstm.weight_ch_l0"].copy()
    weights["lstm.weight_ch_l0"][7, 3] += 1e-3
    assert "c_n" in run.failing(run.answer(weights))
