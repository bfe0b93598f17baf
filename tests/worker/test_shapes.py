import msgspec
import numpy as np
import pytest

from lstmbench.arrays import State
from lstmbench.errors import WorkerError
from lstmbench.records import Workload
from lstmbench.worker import shapes


def ints(*shape):
    return np.zeros(shape, np.int64)


def floats(*shape):
    return np.zeros(shape, np.float32)


@pytest.mark.parametrize(
    "wrong",
    [
        ints(0, 3),
        ints(2, 0),
        ints(3),
        ints(2, 3, 1),
        ints(2, 3).astype(np.int32),
        ints(2, 3).astype(">i8"),
        floats(2, 3),
        [[1, 2]],
        np.array([[0, 5]]),
        np.array([[-1, 0]]),
    ],
)
def test_inputs_that_no_language_model_takes_are_refused(lm, wrong):
    with pytest.raises(WorkerError, match=r"tokens \(B, T\) int64 with B, T >= 1|ids must lie in 0\.\.4"):
        shapes.demand_inputs(lm, wrong)


def test_the_last_id_of_the_vocabulary_is_taken(lm):
    shapes.demand_inputs(lm, np.array([[0, 4]]))


@pytest.mark.parametrize(
    "wrong", [floats(0, 3, 3), floats(2, 0, 3), floats(2, 3), floats(2, 3, 4), ints(2, 3, 3), np.zeros((2, 3, 3))]
)
def test_inputs_that_no_bare_layer_takes_are_refused(fake_layer, wrong):
    with pytest.raises(WorkerError, match=r"the inputs must be x \(B, T, 3\) float32 with B, T >= 1, not"):
        shapes.demand_inputs(fake_layer.model, wrong)


@pytest.mark.parametrize("wrong", [floats(4, 1, 4), floats(2, 2, 4), floats(4, 2, 3), np.zeros((4, 2, 4)), None])
def test_a_state_of_another_shape_is_refused(fake_layer, wrong):
    with pytest.raises(WorkerError, match=r"the state c must be float32 \(4, 2, 4\), not"):
        shapes.demand_state(fake_layer.model, State(floats(4, 2, 4), wrong), batch=2)


def test_no_state_and_a_right_state_are_taken(fake_layer):
    shapes.demand_state(fake_layer.model, None, batch=2)
    shapes.demand_state(fake_layer.model, State(floats(4, 2, 4), floats(4, 2, 4)), batch=2)


@pytest.mark.parametrize("wrong", [ints(2, 4), ints(3, 3)])
def test_a_workload_is_timed_only_on_inputs_of_its_shape(fake_export, wrong):
    with pytest.raises(WorkerError, match=r"inputs of score must begin with the shape \(2, 3\)"):
        shapes.demand_workload(fake_export, Workload(kind="score", batch=2, time=3), wrong)


def test_decoding_needs_only_the_first_tokens_but_one_for_each_row(fake_export):
    workload = Workload(kind="decode", batch=2, time=3)
    shapes.demand_workload(fake_export, workload, ints(2, 1))
    shapes.demand_workload(fake_export, workload, ints(2, 3))
    with pytest.raises(WorkerError, match="inputs of decode"):
        shapes.demand_workload(fake_export, workload, ints(1, 3))


def of_form(exported, form):
    record = msgspec.structs.replace(exported.record, file=f"{form}-fp32.onnx", form=form)
    return msgspec.structs.replace(exported, record=record)


def test_a_form_of_fixed_time_takes_no_other(fake_export):
    unrolled = of_form(fake_export, "unrolled3")
    shapes.demand_workload(unrolled, Workload(kind="score", batch=2, time=3), ints(2, 3))
    for workload in (Workload(kind="score", batch=2, time=4), Workload(kind="decode", batch=2, time=3)):
        assert not workload.fits(unrolled)
        with pytest.raises(WorkerError, match=r"unrolled3-fp32 takes T = 3 a call, not [14]$"):
            shapes.demand_workload(unrolled, workload, ints(2, workload.time))


def test_form_step_decodes_and_scores_one_token(fake_export):
    step = of_form(fake_export, "step")
    fits = [Workload(kind=kind, batch=2, time=time) for kind, time in (("score", 1), ("decode", 1), ("decode", 9))]
    assert all(workload.fits(step) for workload in fits)
    assert not Workload(kind="score", batch=2, time=2).fits(step)


def test_form_generate_is_timed_by_calls_that_draw_and_by_nothing_else(fake_export):
    drawing = of_form(fake_export, "generate")
    draws = Workload(kind="generate", batch=2, time=9)
    assert draws.fits(drawing)
    assert not draws.fits(fake_export)
    assert (draws.chunks, draws.tokens_per_sample) == ((9,), 18)
    shapes.demand_workload(drawing, draws, ints(2, 9))
    with pytest.raises(WorkerError, match="gives logits and draws no tokens: export form 'generate'"):
        shapes.demand_workload(fake_export, draws, ints(2, 9))
    for kind in ("score", "decode"):
        other = Workload(kind=kind, batch=2, time=9)
        assert not other.fits(drawing)
        with pytest.raises(WorkerError, match="draws tokens and gives no logits: ask another form"):
            shapes.demand_workload(drawing, other, ints(2, 9))


def test_a_bare_layer_cannot_decode(fake_layer):
    with pytest.raises(WorkerError, match="decoding needs head 'lm'"):
        shapes.demand_workload(fake_layer, Workload(kind="decode", batch=2, time=3), floats(2, 3, 3))


def test_a_bidirectional_layer_answers_both_directions(fake_layer):
    assert fake_layer.model.output_shape(2, 3) == (2, 3, 8)
    answer = floats(2, 3, 8), (floats(4, 2, 4), floats(4, 2, 4))
    output, state = shapes.demand_answer(fake_layer.model, answer, batch=2, time=3)
    assert output is answer[0]
    assert isinstance(state, State)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        (None, r"run must answer \(output, State\(h, c\)\)"),
        (floats(2, 3, 8), r"run must answer \(output"),
        ((floats(2, 3, 8), floats(4, 2, 4)), r"run must answer \(output"),
        ((floats(2, 3, 4), (floats(4, 2, 4),) * 2), r"y as float32 \(2, 3, 8\), not float32 \(2, 3, 4\)"),
        ((floats(2, 3, 8).astype(np.float16), (floats(4, 2, 4),) * 2), "y as float32 .* not float16"),
        ((floats(2, 3, 8), (floats(2, 2, 4), floats(4, 2, 4))), "h_n as float32"),
        ((floats(2, 3, 8), (floats(4, 2, 4), None)), "c_n as float32 .* not NoneType"),
    ],
)
def test_an_answer_outside_the_contract_is_told_from_a_right_one(fake_layer, wrong, message):
    with pytest.raises(shapes.ContractError, match=message):
        shapes.demand_answer(fake_layer.model, wrong, batch=2, time=3)
