"""The operator in NumPy against ONNX Runtime's, attribute by attribute, on vectors that can tell each from none."""

import numpy as np
import pytest

from lstmbench.evaluator import Attributes, lstm

ort = pytest.importorskip("onnxruntime")
from onnx import TensorProto, helper, numpy_helper  # noqa: E402

T, B, E, H = 5, 3, 3, 4
# seven float32 roundings of numbers near 1 a step, five steps, twice that for activations without a bound
ATOL = 4e-6
LENGTHS = np.array([3, 5, 1], np.int32)


def vectors(D):
    rng = np.random.default_rng(7)
    shapes = {
        "X": (T, B, E),
        "W": (D, 4 * H, E),
        "R": (D, 4 * H, H),
        "B": (D, 8 * H),
        "initial_h": (D, B, H),
        "initial_c": (D, B, H),
        "P": (D, 3 * H),
    }
    return {name: rng.normal(size=shape).astype(np.float32) for name, shape in shapes.items()}


def by_onnxruntime(tensors, how):
    order = ("X", "W", "R", "B", "sequence_lens", "initial_h", "initial_c", "P")
    given = {
        "direction": how.direction,
        "activations": list(how.activations),
        "activation_alpha": list(how.activation_alpha),
        "activation_beta": list(how.activation_beta),
        "input_forget": int(how.input_forget),
    }
    attributes = {name: value for name, value in given.items() if value not in ([], 0)}
    inputs = [name if name in tensors else "" for name in order]
    node = helper.make_node("LSTM", inputs, ["Y", "Y_h", "Y_c"], hidden_size=H, **attributes)
    outputs = [helper.make_tensor_value_info(name, TensorProto.FLOAT, None) for name in ("Y", "Y_h", "Y_c")]
    initial = [numpy_helper.from_array(array, name) for name, array in tensors.items() if name != "X"]
    x = helper.make_tensor_value_info("X", TensorProto.FLOAT, [T, B, E])
    graph = helper.make_graph([node], "operator", [x], outputs, initial)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 21)], ir_version=10)
    session = ort.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    return session.run(None, {"X": tensors["X"]})


def ours(tensors, how):
    return lstm(
        **{name: array.astype(np.float64 if name != "sequence_lens" else int) for name, array in tensors.items()},
        how=how,
    )


CASES = {
    "forward": Attributes(),
    "reverse": Attributes(direction="reverse"),
    "both": Attributes(direction="bidirectional"),
    "input_forget": Attributes(input_forget=True),
    "relu": Attributes(
        activations=("HardSigmoid", "Elu", "Softsign"), activation_alpha=(0.3, 0.7), activation_beta=(0.4,)
    ),
    "affine": Attributes(
        activations=("Sigmoid", "ScaledTanh", "Affine"), activation_alpha=(0.5, 0.8), activation_beta=(0.9, 0.1)
    ),
    "leaky": Attributes(activations=("sigmoid", "LeakyRelu", "Softplus"), activation_alpha=(0.2,)),
    "threshold": Attributes(activations=("Sigmoid", "ThresholdedRelu", "Relu"), activation_alpha=(0.3,)),
    "both, each its own": Attributes(
        direction="bidirectional", activations=("Sigmoid", "Tanh", "Tanh", "HardSigmoid", "Softsign", "Tanh")
    ),
}


@pytest.mark.parametrize("lengths", [False, True], ids=["whole", "lengths"])
@pytest.mark.parametrize("how", CASES.values(), ids=CASES)
def test_it_is_what_onnxruntime_computes(how, lengths):
    tensors = vectors(2 if how.direction == "bidirectional" else 1)
    if lengths:
        tensors["sequence_lens"] = LENGTHS
    for got, want in zip(ours(tensors, how), by_onnxruntime(tensors, how), strict=True):
        np.testing.assert_allclose(got, want, rtol=0, atol=ATOL)


@pytest.mark.parametrize("absent", ["B", "P", "initial_h", "initial_c"])
def test_an_input_that_is_absent_is_zero(absent):
    tensors = vectors(1)
    zero = {**tensors, absent: np.zeros_like(tensors[absent])}
    del tensors[absent]
    for got, want in zip(ours(tensors, Attributes()), ours(zero, Attributes()), strict=True):
        np.testing.assert_array_equal(got, want)


@pytest.mark.parametrize("how", [h for n, h in CASES.items() if n != "forward" and "both" not in n])
def test_each_attribute_changes_the_answer(how):
    plain, other = ours(vectors(1), Attributes()), ours(vectors(1), how)
    assert np.abs(plain[0] - other[0]).max() > 1000 * ATOL


def test_clip_bounds_what_goes_into_every_activation():
    """ONNX Runtime does not clip C_t (FACTS of the specification say it must): the formula stands here by itself."""
    tensors = {name: array.astype(np.float64) for name, array in vectors(1).items()}
    tensors["X"], clip = tensors["X"][:1], 0.25
    _, Y_h, Y_c = lstm(**tensors, how=Attributes(clip=clip))
    z = tensors["X"][0] @ tensors["W"][0].T + tensors["initial_h"][0] @ tensors["R"][0].T
    z = z + tensors["B"][0, : 4 * H] + tensors["B"][0, 4 * H :]
    i, o, f, g = np.split(z, 4, axis=1)
    P, c = tensors["P"][0], tensors["initial_c"][0]

    def sigmoid(a):
        return 1 / (1 + np.exp(-a.clip(-clip, clip)))

    c = sigmoid(f + P[2 * H :] * c) * c + sigmoid(i + P[:H] * c) * np.tanh(g.clip(-clip, clip))
    np.testing.assert_allclose(Y_c[0], c, rtol=0, atol=1e-14)
    np.testing.assert_allclose(Y_h[0], sigmoid(o + P[H : 2 * H] * c) * np.tanh(c.clip(-clip, clip)), rtol=0, atol=1e-14)


@pytest.mark.parametrize("direction", ["forward", "reverse", "bidirectional"])
def test_layout_1_puts_the_batch_first(direction):
    tensors = vectors(2 if direction == "bidirectional" else 1)
    want = ours(tensors, Attributes(direction=direction))
    turned = {n: a.swapaxes(0, 1) if n in ("X", "initial_h", "initial_c") else a for n, a in tensors.items()}
    Y, Y_h, Y_c = ours(turned, Attributes(direction=direction, layout=1))
    np.testing.assert_array_equal(Y, want[0].transpose(2, 0, 1, 3))
    np.testing.assert_array_equal(Y_h.swapaxes(0, 1), want[1])
    np.testing.assert_array_equal(Y_c.swapaxes(0, 1), want[2])


def test_an_empty_row_keeps_its_state():
    tensors = {**vectors(1), "sequence_lens": np.array([0, 5, 2], np.int32)}
    Y, Y_h, Y_c = ours(tensors, Attributes())
    assert not Y[:, 0, 0].any()
    np.testing.assert_array_equal(Y_h[0, 0], tensors["initial_h"][0, 0])
    np.testing.assert_array_equal(Y_c[0, 0], tensors["initial_c"][0, 0])


@pytest.mark.parametrize(
    ("how", "message"),
    [
        (Attributes(direction="sideways"), "direction 'sideways' is none of"),
        (Attributes(activations=("Sigmoid", "Swish", "Tanh")), "activation 'Swish' is not in the specification"),
        (Attributes(activations=("Sigmoid", "Tanh")), "2 activations for 1 directions"),
    ],
)
def test_what_the_specification_does_not_know_is_refused(how, message):
    with pytest.raises(ValueError, match=message):
        ours(vectors(1), how)
