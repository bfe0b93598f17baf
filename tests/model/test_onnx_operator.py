"""`diagonal` and `none` against ONNX Runtime's LSTM operator, on vectors that can tell one mistake from another.

Asymmetric random weights, other ones in each direction, five steps, c_0 ≠ 0, unequal lengths. The operator's orders of
gates and peepholes are written out here from its specification, not taken from the package.
"""

import numpy as np
import pytest

from lstmbench.model import reference
from lstmbench.model.weights import random_weights
from lstmbench.records import ModelConfig

ort = pytest.importorskip("onnxruntime")
from onnx import TensorProto, helper, numpy_helper  # noqa: E402

T, B, E, H, D = 5, 3, 3, 4, 2
LENGTHS = np.array([3, 5, 1], np.int32)
SUFFIXES = ("", "_reverse")
IOFC, IOF = (0, 3, 1, 2), (0, 2, 1)  # of torch's i, f, g, o and of our i, f, o
# seven float32 roundings of numbers near 1 a step, five steps: 2e-6 holds whatever the order of the sums
ATOL = 2e-6


def config(peephole):
    return ModelConfig(head="layer", peephole=peephole, input_size=E, hidden_size=H, bidirectional=True)


def blocks(tensor, order):
    return np.concatenate([tensor[n * H : (n + 1) * H] for n in order])


def operator(weights, x, state, *, gates=IOFC, peepholes=IOF, lengths=LENGTHS):
    """Y (B, T, D·H), Y_h and Y_c (D, B, H) of one LSTM node; the keywords plant mistakes."""

    def both(kind, order):
        return np.stack([blocks(weights[f"lstm.{kind}_l0{suffix}"], order) for suffix in SUFFIXES])

    tensors = {
        "W": both("weight_ih", gates),
        "R": both("weight_hh", gates),
        "B": np.concatenate([both("bias_ih", gates), both("bias_hh", gates)], axis=1),
        "lengths": lengths,
        "h": state[0],
        "c": state[1],
    }
    if "lstm.weight_ch_l0" in weights:
        tensors["P"] = both("weight_ch", peepholes)
    inputs = ["X", "W", "R", "B", "lengths", "h", "c", *(["P"] if "P" in tensors else [])]
    node = helper.make_node("LSTM", inputs, ["Y", "Y_h", "Y_c"], hidden_size=H, direction="bidirectional")
    graph = helper.make_graph(
        [node],
        "operator",
        [helper.make_tensor_value_info("X", TensorProto.FLOAT, [T, B, E])],
        [helper.make_tensor_value_info(name, TensorProto.FLOAT, None) for name in ("Y", "Y_h", "Y_c")],
        [numpy_helper.from_array(array, name) for name, array in tensors.items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 21)], ir_version=10)
    session = ort.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    y, h, c = session.run(None, {"X": np.ascontiguousarray(x.transpose(1, 0, 2))})
    return y.transpose(2, 0, 1, 3).reshape(B, T, D * H), h, c


def vectors(peephole):
    rng = np.random.default_rng(11)
    weights = random_weights(config(peephole), seed=4)
    x, h, c = (rng.standard_normal(s).astype(np.float32) for s in ((B, T, E), (D, B, H), (D, B, H)))
    return weights, x, (h, c)


@pytest.mark.parametrize("peephole", ["diagonal", "none"])
def test_the_reference_is_the_operator(peephole):
    weights, x, state = vectors(peephole)
    y, (h, c) = reference.run(config(peephole), weights, x, state, lengths=LENGTHS)
    for got, want in zip(operator(weights, x, state), (y, h, c), strict=True):
        np.testing.assert_allclose(got, want, atol=ATOL, rtol=0)


@pytest.mark.torch
@pytest.mark.parametrize("peephole", ["diagonal", "none"])
def test_the_module_is_the_operator(peephole):
    torch = pytest.importorskip("torch")
    from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

    from lstmbench import PeepholeLSTM

    weights, x, state = vectors(peephole)
    module = PeepholeLSTM(E, H, batch_first=True, bidirectional=True, peephole=peephole)
    module.load_state_dict({name.removeprefix("lstm."): torch.from_numpy(w) for name, w in weights.items()})
    lengths = torch.from_numpy(LENGTHS.astype(np.int64))
    packed = pack_padded_sequence(torch.from_numpy(x), lengths, batch_first=True, enforce_sorted=False)
    with torch.no_grad():
        y, (h, c) = module(packed, tuple(map(torch.from_numpy, state)))
    y, _ = pad_packed_sequence(y, batch_first=True)
    for got, want in zip((y, h, c), operator(weights, x, state), strict=True):
        np.testing.assert_allclose(got, want, atol=ATOL, rtol=0)


MISTAKES = {
    "peephole order i, f, o": {"peepholes": (0, 1, 2)},
    "peephole order f, i, o": {"peepholes": (1, 0, 2)},
    "peephole order o, i, f": {"peepholes": (2, 0, 1)},
    "gate order i, f, c, o": {"gates": (0, 1, 2, 3)},
    "gate order f, i, c, o": {"gates": (1, 0, 2, 3)},
    "gate order i, o, c, f": {"gates": (0, 3, 2, 1)},
    "lengths ignored": {"lengths": np.full(B, T, np.int32)},
}


def _without(*gates):
    def drop(weights):
        keep = np.repeat([n not in gates for n in range(3)], H).astype(np.float32)
        return {name: w * keep if "weight_ch" in name else w for name, w in weights.items()}

    return drop


ALTERED = {
    "no peephole on i": _without(0),
    "no peephole on f": _without(1),
    "no peephole on o": _without(2),
    "no peepholes": _without(0, 1, 2),
    "the forward weights in both directions": lambda weights: {n: weights[n.removesuffix("_reverse")] for n in weights},
}


@pytest.mark.parametrize("mistake", [*MISTAKES, *ALTERED, "c_0 forgotten", "h_0 and c_0 swapped"])
def test_every_planted_mistake_is_far_outside_the_tolerance(mistake):
    weights, x, (h, c) = vectors("diagonal")
    y, _ = reference.run(config("diagonal"), weights, x, (h, c), lengths=LENGTHS)
    state = {"c_0 forgotten": (h, 0 * c), "h_0 and c_0 swapped": (c, h)}.get(mistake, (h, c))
    wrong = ALTERED.get(mistake, dict)(weights)
    got, *_ = operator(wrong, x, state, **MISTAKES.get(mistake, {}))
    assert np.abs(got - y).max() > 1000 * ATOL
