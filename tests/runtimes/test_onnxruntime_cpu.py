"""The graphs here are built by hand, node by node from the operator's specification: they share no code with export."""

import numpy as np
import pytest

from lstmbench.errors import RecordError, RuntimeMissingError, WorkerError
from lstmbench.model.gates import ONNX_GATES, ONNX_PEEPHOLES, TORCH_GATES, TORCH_PEEPHOLES, order
from lstmbench.model.weights import random_weights
from lstmbench.records import ModelConfig, Placement
from lstmbench.worker import Worker

pytest.importorskip("onnxruntime")
import onnxruntime as ort
from onnx import TensorProto, helper, numpy_helper

from lstmbench.runtimes.onnxruntime_cpu import OnnxRuntimeCpu
from lstmbench.runtimes.onnxruntime_session import demand_provider

E, H, D = 3, 4, 2
MODEL = ModelConfig(head="layer", peephole="diagonal", input_size=E, hidden_size=H, bidirectional=True)
FLOAT, INT64 = TensorProto.FLOAT, TensorProto.INT64


def in_onnx_order(tensor, source, target):
    return np.concatenate([np.split(tensor, len(source))[gate] for gate in order(source, target)])


def both(weights, kind):
    return np.stack([in_onnx_order(weights[f"lstm.{kind}_l0{s}"], TORCH_GATES, ONNX_GATES) for s in ("", "_reverse")])


def tensors(weights):
    peepholes = [
        in_onnx_order(weights[f"lstm.weight_ch_l0{suffix}"], TORCH_PEEPHOLES, ONNX_PEEPHOLES)
        for suffix in ("", "_reverse")
    ]
    arrays = {
        "W": both(weights, "weight_ih"),
        "R": both(weights, "weight_hh"),
        "bias": np.concatenate([both(weights, "bias_ih"), both(weights, "bias_hh")], axis=1),
        "P": np.stack(peepholes),
        "shape": np.array([0, 0, D * H]),
    }
    return [numpy_helper.from_array(array, name) for name, array in arrays.items()]


def graph(*, output="y", x_type=FLOAT, peepholes=True):
    """A `layer` graph with ONNX's own LSTM operator; the arguments plant mistakes."""
    states = [helper.make_tensor_value_info(name, FLOAT, [D, "B", H]) for name in ("h_0", "c_0", "h_n", "c_n")]
    nodes = [
        helper.make_node("Cast", ["x"], ["x_float"], to=FLOAT),
        helper.make_node("Transpose", ["x_float"], ["x_first"], perm=[1, 0, 2]),
        helper.make_node(
            "LSTM",
            ["x_first", "W", "R", "bias", "", "h_0", "c_0", *(["P"] if peepholes else [])],
            ["steps", "h_n", "c_n"],
            hidden_size=H,
            direction="bidirectional",
        ),
        helper.make_node("Transpose", ["steps"], ["rows"], perm=[2, 0, 1, 3]),  # (T, D, B, H) -> (B, T, D, H)
        helper.make_node("Reshape", ["rows", "shape"], [output]),
    ]
    return helper.make_model(
        helper.make_graph(
            nodes,
            "hand-made",
            [helper.make_tensor_value_info("x", x_type, ["B", "T", E]), *states[:2]],
            [helper.make_tensor_value_info(output, FLOAT, ["B", "T", D * H]), *states[2:]],
            tensors(random_weights(MODEL, seed=7)),
        ),
        opset_imports=[helper.make_opsetid("", 21)],
        ir_version=10,
    ).SerializeToString()


@pytest.mark.parametrize(("batch", "time"), [(1, 1), (2, 5), (3, 2)])
def test_a_worker_of_it_computes_what_the_reference_computes(make, assert_close, batch, time):
    made = make(MODEL, onnx=graph())
    inputs, state = made.inputs(batch, time), made.state(batch)
    with Worker("onnxruntime-cpu", made.exported) as worker:
        assert_close(worker.run(inputs, state), made.want(inputs, state))
        assert_close(worker.run(inputs), made.want(inputs, None))


def test_a_held_call_answers_as_the_call_does(make):
    made = make(MODEL, onnx=graph())
    runtime = OnnxRuntimeCpu(made.exported, threads=1)
    runtime.hold(made.inputs(3, 5, seed=9), made.state(3)).compute()
    for state in (None, made.state(3)):
        held = runtime.hold(made.inputs(3, 5), state)
        held.compute()
        first = held.answer()
        held.compute()
        want, after = runtime.run(made.inputs(3, 5), state)
        for output, (h, c) in (first, held.answer()):
            for got, expected in ((output, want), (h, after.h), (c, after.c)):
                np.testing.assert_array_equal(got, expected)


def test_without_its_peepholes_the_graph_would_be_told_from_the_reference(make):
    made = make(MODEL, onnx=graph(peepholes=False))
    inputs, state = made.inputs(2, 5), made.state(2)
    output, _ = OnnxRuntimeCpu(made.exported, threads=1).run(inputs, state)
    assert np.max(np.abs(output - made.want(inputs, state)[0])) > 0.01


@pytest.mark.skipif(not hasattr(ort.InferenceSession, "get_provider_graph_assignment_info"), reason="it cannot tell")
def test_placement_counts_the_nodes_that_the_provider_took(make):
    placement = OnnxRuntimeCpu(make(MODEL, onnx=graph()).exported, threads=1).placement()
    assert Placement(provider="CPUExecutionProvider", operator="LSTM", nodes=1) in placement
    assert {part.provider for part in placement} == {"CPUExecutionProvider"}


class Session:
    """A session that got another provider than was asked for."""

    def __init__(self, *providers):
        self.get_providers = lambda: list(providers)


@pytest.mark.parametrize(
    ("providers", "elsewhere"),
    [(["CUDAExecutionProvider", "CPUExecutionProvider"], []), (["CPUExecutionProvider"], ["CUDAExecutionProvider"])],
)
def test_another_provider_than_the_one_asked_for_is_an_error(providers, elsewhere):
    placement = tuple(Placement(provider=provider, operator="LSTM", nodes=1) for provider in elsewhere)
    with pytest.raises(RuntimeMissingError, match="asked ONNX Runtime for CPUExecutionProvider, got CUDA"):
        demand_provider(Session(*providers), placement, "CPUExecutionProvider")


def test_an_onnxruntime_too_old_to_tell_the_placement_is_seen_running(make, monkeypatch):
    runtime = OnnxRuntimeCpu(make(MODEL, onnx=graph()).exported, threads=1)
    told = runtime.placement()
    for kind in ort.InferenceSession.__mro__:
        if "get_provider_graph_assignment_info" in vars(kind):
            monkeypatch.delattr(kind, "get_provider_graph_assignment_info")
    seen = runtime.placement()
    assert Placement(provider="CPUExecutionProvider", operator="LSTM", nodes=1) in seen
    if told:
        # how many a call runs, optimisation may decide later than the assignment
        assert {part.operator for part in seen} <= {part.operator for part in told} | {"Split"}


def test_a_file_that_was_changed_since_export_is_refused(make):
    made = make(MODEL, onnx=graph())
    made.exported.path.write_bytes(graph(peepholes=False))
    with pytest.raises(RecordError, match=r"the file was changed since export; export again$"):
        OnnxRuntimeCpu(made.exported, threads=1)


def test_a_file_that_is_gone_is_one_line(make):
    made = make(MODEL, onnx=graph())
    made.exported.path.unlink()
    with pytest.raises(RecordError, match="cannot read"):
        OnnxRuntimeCpu(made.exported, threads=1)


@pytest.mark.parametrize("keep", [0, 10, 0.5, 0.9])
def test_a_damaged_file_is_one_line(make, keep):
    whole = graph()
    made = make(MODEL, onnx=whole[: int(keep * len(whole)) if keep < 1 else keep])
    with pytest.raises(WorkerError) as caught, Worker("onnxruntime-cpu", made.exported):
        pass
    assert f"cannot load {made.exported.path}; export again" in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"output": "z"}, "has outputs z tensor(float), h_n tensor(float), c_n tensor(float), head 'layer' needs y "),
        ({"x_type": INT64}, "has inputs x tensor(int64), h_0 tensor(float), c_0 tensor(float), head 'layer' needs x "),
    ],
)
def test_a_graph_that_breaks_the_contract_is_refused(make, wrong, message):
    with pytest.raises(RecordError) as caught:
        OnnxRuntimeCpu(make(MODEL, onnx=graph(**wrong)).exported, threads=1)
    assert message in str(caught.value)
