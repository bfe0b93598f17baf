"""No mistake passes: of the weights in a file, of the recurrence, of the state's contract; cells and forms alike."""

import functools

import numpy as np
import pytest

from lstmbench.check.cases import DEFAULT_SHAPES, plan
from lstmbench.check.oracle import Oracle
from lstmbench.model.weights import random_weights
from lstmbench.records import ModelConfig
from lstmbench.runtimes.numpy_float32 import NumpyFloat32

CELLS, FORMS, SEEDS = ("full", "diagonal", "none"), ("scan", "step", "unrolled4"), range(3)
SHAPES = ((1, 1), (3, 8))
GAINS = (1.0, 2.0)  # at 2 a cell `full` of this size is chaotic


@pytest.fixture
def judging(plugins):
    import judging

    return judging


@pytest.fixture
def known(make):
    """A model of a cell and seed, its oracle and its cases, made once."""

    @functools.cache
    def known(peephole, form, seed, gain=1.0, lengths=False, **sizes):
        sizes = {"head": "layer", "input_size": 12, "hidden_size": 12} | sizes
        config = ModelConfig(peephole=peephole, **sizes)
        name = f"{peephole}-{form}-{seed}-{gain}-{lengths}"
        exported = make(config, name=name, seed=seed, gain=gain, form=form, lengths=lengths)
        return exported, Oracle(exported), plan(exported, SHAPES)

    return known


def with_weights(exported, weights):
    runtime = NumpyFloat32(exported, threads=1)
    runtime._weights = weights
    return runtime


@pytest.mark.parametrize("gain", GAINS)
@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("peephole", CELLS)
def test_every_mistake_in_the_weights_fails_and_the_right_ones_pass(judging, known, peephole, form, gain):
    import mistakes

    for seed in SEEDS:
        exported, oracle, cases = known(peephole, form, seed, gain)
        right = random_weights(exported.model, seed=seed, gain=gain)
        assert judging.refused(exported, oracle, cases, with_weights(exported, right)) is None
        found = mistakes.of(exported.model)
        passed = {
            name
            for name, plant in found.items()
            if judging.refused(exported, oracle, cases, with_weights(exported, plant(right))) is None
        }
        assert not passed


def test_all_orders_are_planted_and_what_is_missing_in_a_cell_is_not(plugins):
    import mistakes

    def names(peephole):
        config = ModelConfig(head="layer", peephole=peephole, input_size=2, hidden_size=2)
        return list(mistakes.of(config))

    assert [sum("gates in order" in name for name in names(cell)) for cell in CELLS] == [23, 23, 23]
    assert [sum("P in order" in name for name in names(cell)) for cell in CELLS] == [23, 5, 0]
    assert [sum("P of" in name for name in names(cell)) for cell in CELLS] == [4, 3, 0]
    assert "P of g dropped" in names("full"), "the candidate's peephole"


@pytest.mark.parametrize("peephole", CELLS)
def test_biases_that_change_places_are_no_mistake_since_an_lstm_adds_them(judging, known, peephole):
    import mistakes

    exported, oracle, cases = known(peephole, "scan", 0)
    swapped = mistakes.swapped_biases(random_weights(exported.model, seed=0))
    assert not np.array_equal(swapped["lstm.bias_ih_l0"], random_weights(exported.model, seed=0)["lstm.bias_ih_l0"])
    assert judging.refused(exported, oracle, cases, with_weights(exported, swapped)) is None


@pytest.mark.parametrize("gain", GAINS)
@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("peephole", ["full", "diagonal"])
def test_a_gate_o_that_peeps_at_the_wrong_cell_state_fails(judging, known, peephole, form, gain):
    import planted

    for seed in SEEDS:
        exported, oracle, cases = known(peephole, form, seed, gain)
        assert judging.refused(exported, oracle, cases, planted.PeepsWithTheWrongCell(exported, threads=1))


def mistakes_of_the_state(form):
    import planted

    kept = (planted.IgnoresState, planted.CarriesNoState, planted.StateOfTheFirstCall, planted.SwapsHAndC)
    every = (*planted.OF_THE_STATE, *kept, planted.DropsTheLastStep, planted.MixesUpTheRows)
    one_step = (planted.ReadsTheStepsBackwards, planted.FreezesTheTimeAxis, planted.DropsTheLastStep)
    if form == "step":  # no time in a call
        return [mistake for mistake in every if mistake not in one_step]
    if form == "unrolled4":  # no call of a single step
        return [mistake for mistake in every if mistake is not planted.ForgetsTheStateOfASingleStep]
    return list(every)


@pytest.mark.parametrize("gain", GAINS)
@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("peephole", CELLS)
def test_every_breach_of_the_states_contract_fails_chaotic_or_not(judging, known, peephole, form, gain):
    for seed in SEEDS:
        exported, oracle, cases = known(peephole, form, seed, gain)
        for mistake in mistakes_of_the_state(form):
            assert judging.refused(exported, oracle, cases, mistake(exported, threads=1)), mistake


ONLY_SEEN_WHERE = {
    "KeepsTheLastState": {("none", "again")},
    "StartsFromOnes": {("none", "plain"), ("none", "again")},
    "TakesZerosForAPlaceholder": {("zeros", "plain")},
}


@pytest.mark.parametrize("mistake", ONLY_SEEN_WHERE)
def test_a_case_of_its_own_is_what_sees_such_a_mistake(judging, known, mistake):
    import planted

    exported, oracle, cases = known("full", "scan", 0)
    whole = [case for case in cases if (case.state, case.asked) in {("random", "plain"), ("random", "steps")}]
    runtime = getattr(planted, mistake)
    assert judging.refused(exported, oracle, whole, runtime(exported, threads=1)) is None
    failed = [row for row in judging.judge(exported, oracle, cases, runtime(exported, threads=1)) if not row.passed]
    assert {(row.state, row.asked) for row in failed} & ONLY_SEEN_WHERE[mistake]


@pytest.mark.parametrize("mistake", ["AnswersFromMemory", "FixesTheFirstRowsPlace"])
def test_rows_in_another_order_are_seen_to_be_answered_in_the_old_one(judging, known, mistake):
    import planted

    exported, oracle, cases = known("diagonal", "scan", 1)
    runtime = getattr(planted, mistake)(exported, threads=1)
    failed = {row.asked for row in judging.judge(exported, oracle, cases, runtime) if not row.passed}
    assert "permuted" in failed


@pytest.mark.parametrize("peephole", CELLS)
@pytest.mark.parametrize("bidirectional", [False, True])
def test_mistakes_with_lengths_fail(judging, known, peephole, bidirectional):
    import planted

    wrong = ("IgnoresLengths", "KeepsNoState", "CutsNoOutput", "EndsOneStepLate", "SortsRowsByLength")
    for seed in SEEDS:
        exported, oracle, cases = known(peephole, "scan", seed, lengths=True, bidirectional=bidirectional)
        assert judging.refused(exported, oracle, cases, planted.Honest(exported, threads=1)) is None
        for mistake in (*wrong, "MasksByMultiplying"):
            assert judging.refused(exported, oracle, cases, getattr(planted, mistake)(exported, threads=1)), mistake


def test_only_spoilt_features_behind_the_end_show_a_mask_that_multiplies(judging, known):
    import planted

    exported, oracle, cases = known("full", "scan", 0, lengths=True)
    runtime = planted.MasksByMultiplying(exported, threads=1)
    failed = {row.asked for row in judging.judge(exported, oracle, cases, runtime) if not row.passed}
    assert failed == {"padded"}


def test_other_tokens_behind_the_end_count_for_nothing(judging, known):
    import planted

    sizes = {"head": "lm", "vocabulary_size": 9}
    exported, oracle, cases = known("full", "scan", 0, lengths=True, **sizes)
    assert judging.refused(exported, oracle, cases, planted.Honest(exported, threads=1)) is None
    runtime = planted.ReadsBehindTheEnd(exported, threads=1)
    failed = {row.asked for row in judging.judge(exported, oracle, cases, runtime) if not row.passed}
    assert "padded" in failed


@pytest.mark.parametrize("peephole", CELLS)
def test_a_reverse_output_that_is_not_turned_fails(judging, known, peephole):
    import planted

    for seed in SEEDS:
        exported, oracle, cases = known(peephole, "scan", seed, bidirectional=True)
        assert judging.refused(exported, oracle, cases, planted.LeavesTheReverseOutputAsItCame(exported, threads=1))


def test_a_long_run_of_a_chaotic_cell_is_reported_and_its_steps_are_judged(judging, known):
    import planted

    exported, oracle, _ = known("full", "scan", 0, 3.0, input_size=48, hidden_size=48, num_layers=2)
    cases = plan(exported, ((2, 64),))
    rows = list(judging.judge(exported, oracle, cases, planted.Honest(exported, threads=1)))
    assert all(row.passed for row in rows)
    whole = [row for row in rows if row.time == 64 and row.asked == "plain"]
    assert {row.judged for row in whole if row.output != "y"} == {False}
    assert all(3 <= 64 - row.unjudged_steps < 64 for row in whole if row.output == "y")
    assert all(row.unjudged_steps == 0 for row in rows if row.asked == "steps" or row.time <= 3)


def test_a_chaotic_cell_hides_no_mistake_in_steps_nor_between_them(judging, known):
    import mistakes

    exported, oracle, _ = known("full", "scan", 0, 3.0, input_size=48, hidden_size=48, num_layers=2)
    cases, right = plan(exported, ((2, 64),)), random_weights(exported.model, seed=0, gain=3.0)
    for name, plant in mistakes.of(exported.model).items():
        assert judging.refused(exported, oracle, cases, with_weights(exported, plant(right))), name
    for mistake in mistakes_of_the_state("scan"):
        assert judging.refused(exported, oracle, cases, mistake(exported, threads=1)), mistake


@pytest.mark.parametrize("mistake", ["ForgetsAt65", "WrongFromRowSixOn"])
def test_an_engine_that_goes_wrong_beyond_a_size_is_asked_beyond_it(judging, known, mistake):
    import planted

    exported, oracle, of_shapes = known("diagonal", "scan", 0)
    runtime = getattr(planted, mistake)(exported, threads=1)
    assert judging.refused(exported, oracle, of_shapes, runtime) is None
    assert judging.refused(exported, oracle, plan(exported), runtime)


@pytest.mark.parametrize("mistake", ["DropsCWhereHIsZero", "DropsHWhereCIsZero"])
@pytest.mark.parametrize("form", FORMS)
def test_half_a_state_counts(judging, known, mistake, form):
    import planted

    exported, oracle, cases = known("full", form, 0)
    runtime = getattr(planted, mistake)(exported, threads=1)
    failed = {row.state for row in judging.judge(exported, oracle, cases, runtime) if not row.passed}
    assert failed == {"c alone" if mistake == "DropsCWhereHIsZero" else "h alone"}


SATURATED = ("ClipsAt3", "Clips", "ClipsAt10", "TakesTanhByExponentials")


@pytest.mark.parametrize("mistake", SATURATED)
@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("peephole", CELLS)
def test_large_sums_show_where_activations_go_wrong(judging, known, peephole, form, mistake):
    import planted

    for seed in SEEDS:
        exported, oracle, cases = known(peephole, form, seed)
        large = [case for case in cases if case.state == "large"]
        assert judging.refused(exported, oracle, large, getattr(planted, mistake)(exported, threads=1))


@pytest.mark.parametrize("mistake", ["ClipsAt10", "TakesTanhByExponentials"])
def test_nothing_else_shows_what_goes_wrong_far_out(judging, known, mistake):
    import planted

    exported, oracle, cases = known("full", "scan", 0)
    runtime = getattr(planted, mistake)(exported, threads=1)
    assert {row.state for row in judging.judge(exported, oracle, cases, runtime) if not row.passed} == {"large"}


@pytest.mark.parametrize("mistake", ["ClipsAt3", "Clips"])
@pytest.mark.parametrize("peephole", CELLS)
def test_states_reach_the_clip_of_a_model_whose_inputs_are_tokens(judging, known, peephole, mistake):
    import planted

    sizes = {"head": "lm", "input_size": 24, "hidden_size": 24, "vocabulary_size": 9}
    exported, oracle, cases = known(peephole, "scan", 0, 2.0, **sizes)
    large = [case for case in cases if case.state == "large"]
    assert judging.refused(exported, oracle, large, getattr(planted, mistake)(exported, threads=1))


@pytest.mark.parametrize("form", ["scan", "step", "unrolled4", "generate"])
@pytest.mark.parametrize("lengths", [False, True])
def test_large_shapes_are_asked_in_as_few_calls_as_the_form_allows(recorded, form, lengths):
    sizes = {"head": "lm", "vocabulary_size": 5} if form == "generate" else {"head": "layer"}
    model = ModelConfig(peephole="diagonal", input_size=3, hidden_size=4, **sizes)
    exported = recorded(model, form=form, lengths=lengths)
    once = set(plan(exported)) - set(plan(exported, DEFAULT_SHAPES))
    steps = exported.steps
    calls = {(case.batch, len(case.chunks)) for case in once}
    assert calls == {(35, -(-2 // (steps or 2))), (2, -(-150 // (steps or 150)))}
