"""The bound of a graph lets every right run pass, and no planted mistake in the file that ran."""

import itertools
import math

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from lstmbench.errors import GraphError
from lstmbench.parity import Expected
from lstmbench.parity.graphs import GraphBound, compare_graph

ort = pytest.importorskip("onnxruntime")

FLOAT32 = np.dtype(np.float32)
ONNX = ("i", "o", "f", "c")
GATE_ORDERS = [order for order in itertools.permutations(range(4)) if order != (0, 1, 2, 3)]
PEEPHOLE_ORDERS = [order for order in itertools.permutations(range(3)) if order != (0, 1, 2)]


def by_onnxruntime(model, feeds):
    options = ort.SessionOptions()
    options.intra_op_num_threads, options.log_severity_level = 1, 3
    session = ort.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])
    names = [output.name for output in session.get_outputs()]
    return dict(zip(names, session.run(names, feeds), strict=True))


def failing(right, model, feeds):
    """The outputs of `model` on ONNX Runtime that are out of the bound that `right` has."""
    expected, got = GraphBound(right).expect(feeds), by_onnxruntime(model, feeds)
    return [name for name, one in expected.items() if not compare_graph(got[name], one, dtype=FLOAT32).passed]


@pytest.mark.parametrize("seed", range(10))
def test_right_files_pass_whatever_they_are(foreign_graphs, seed):
    """Twenty a seed, two hundred in all."""
    rng = np.random.default_rng(1000 + seed)
    for _ in range(20):
        model, feeds = foreign_graphs.draw(rng)
        assert not failing(model, model, feeds)


class File:
    """A bidirectional file with all that it can have, and how to spoil it."""

    def __init__(self, graphs, **sizes):
        self.graphs = graphs
        self.sizes = graphs.Sizes(**{"direction": "bidirectional", "lengths": True, "seed": 3} | sizes)
        self.held = graphs.tensors(self.sizes)
        self.right = graphs.lstm_file(self.sizes)
        self.feeds = graphs.feeds(self.sizes, 3, 7)

    def spoilt(self, **changed):
        """With other tensors; None leaves one out."""
        held = {name: array for name, array in (self.held | changed).items() if array is not None}
        return failing(self.right, self.graphs.lstm_file(self.sizes, held), self.feeds)

    def reordered(self, name, order):
        """The blocks of one gate each in another order, in each half of B."""
        array = self.held[name]
        parts = array.reshape(array.shape[0], -1, len(order), self.sizes.H, *array.shape[2:])
        return parts[:, :, list(order)].reshape(array.shape)


@pytest.fixture
def file(foreign_graphs):
    return File(foreign_graphs)


def test_the_file_itself_passes(file):
    assert not file.spoilt()


def test_a_dropped_peephole_is_caught(file):
    assert file.spoilt(P=None)
    for gate in range(3):
        peepholes = file.held["P"].copy()
        peepholes[:, gate * file.sizes.H : (gate + 1) * file.sizes.H] = 0
        assert file.spoilt(P=peepholes), ONNX[gate]


@pytest.mark.parametrize("order", PEEPHOLE_ORDERS)
def test_peepholes_in_another_order_are_caught(file, order):
    assert file.spoilt(P=file.reordered("P", order))


@pytest.mark.parametrize("order", GATE_ORDERS)
def test_gates_in_another_order_are_caught(file, order):
    assert file.spoilt(**{name: file.reordered(name, order) for name in ("W", "R", "B")})


@pytest.mark.parametrize("name", ["W", "R", "B", "P"])
@pytest.mark.parametrize("direction", [0, 1])
def test_one_weight_off_by_a_thousandth_is_caught(file, name, direction):
    for place in (0, file.held[name].shape[1] // 2, -1):
        off = file.held[name].copy()
        off[direction, place, ...].flat[0] += 1e-3
        assert file.spoilt(**{name: off})


@pytest.mark.parametrize("names", [("W", "R", "B", "P"), ("W",), ("R",), ("B",), ("P",)])
def test_weights_in_bfloat16_are_caught(file, names):
    def cut(array):
        return (array.view(np.uint32) & 0xFFFF0000).view(np.float32)

    assert file.spoilt(**{name: cut(file.held[name]) for name in names})


@pytest.mark.parametrize("wrong", ["forward", "not turned back"])
def test_a_reverse_direction_that_is_not_turned_is_caught(foreign_graphs, wrong):
    right = File(foreign_graphs, direction="reverse", lengths=False)
    spoilt = foreign_graphs.lstm_file(right.sizes, turned=wrong == "not turned back")
    if wrong == "forward":
        (lstm,) = (node for node in spoilt.graph.node if node.op_type == "LSTM")
        next(a for a in lstm.attribute if a.name == "direction").s = b"forward"
    assert "y" in failing(right.right, spoilt, right.feeds)


def test_lengths_that_are_ignored_are_caught(file):
    spoilt = onnx.ModelProto.FromString(file.right.SerializeToString())
    (lstm,) = (node for node in spoilt.graph.node if node.op_type == "LSTM")
    lstm.input[4] = ""
    got = {"y", "hn", "cn"}
    assert set(failing(file.right, spoilt, file.feeds)) == got


def test_an_activation_that_is_ignored_is_caught(foreign_graphs):
    right = File(foreign_graphs, direction="forward", lengths=False, peephole=False)
    other = onnx.ModelProto.FromString(right.right.SerializeToString())
    (lstm,) = (node for node in right.right.graph.node if node.op_type == "LSTM")
    lstm.attribute.append(helper.make_attribute("activations", ["Sigmoid", "Softsign", "Tanh"]))
    assert not failing(right.right, right.right, right.feeds)
    assert failing(right.right, other, right.feeds)


@pytest.mark.parametrize("gain", [0.3, 1.0, 1.5])
@pytest.mark.parametrize("time", [1, 16])
def test_the_bound_is_some_roundings_wide_and_no_more(foreign_graphs, gain, time):
    sizes = foreign_graphs.Sizes(gain=gain, H=64, E=24)
    expected = GraphBound(foreign_graphs.lstm_file(sizes)).expect(foreign_graphs.feeds(sizes, 2, time))
    for one in expected.values():
        # a sum of 64 products of numbers up to 4, 16 steps: 2e-6 in float32, ten times that and twice for luck
        assert 10 * 2**-24 <= one.bound < 4e-5


def test_the_bound_is_the_same_each_time(file):
    one, other = (GraphBound(file.right).expect(file.feeds) for _ in range(2))
    assert [e.bound for e in one.values()] == [e.bound for e in other.values()]


def test_more_steps_may_stray_further_even_where_float32_is_exact():
    """Products with ones and zeros: no run in float32 is off, so the walk alone is left."""
    step = helper.make_graph(
        [helper.make_node("MatMul", ["s", "eye"], ["p"]), helper.make_node("Identity", ["p"], ["s_"])],
        "step",
        [helper.make_tensor_value_info(name, TensorProto.FLOAT, None) for name in ("s", "x_t")],
        [helper.make_tensor_value_info("s_", TensorProto.FLOAT, None)],
    )
    scan = helper.make_node("Scan", ["s0", "x"], ["s"], body=step, num_scan_inputs=1)
    graph = helper.make_graph(
        [scan],
        "g",
        [helper.make_tensor_value_info(name, TensorProto.FLOAT, None) for name in ("s0", "x")],
        [helper.make_tensor_value_info("s", TensorProto.FLOAT, None)],
        [numpy_helper.from_array(np.eye(2, dtype=np.float32), "eye")],
    )
    bound = GraphBound(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=9))
    for steps in (1, 4, 100):
        one = bound.expect({"s0": np.ones((1, 2), np.float32), "x": np.zeros((steps, 1), np.float32)})["s"]
        assert one.float32_error == 0
        assert one.bound == pytest.approx(10 * 2**-24 * math.sqrt(steps))


# --- outputs that are no floats -----------------------------------------------------------------------------------


def index_file():
    nodes = [
        helper.make_node("MatMul", ["x", "w"], ["p"]),
        helper.make_node("ArgMax", ["p"], ["y"], axis=1, keepdims=0),
    ]
    graph = helper.make_graph(
        nodes,
        "g",
        [helper.make_tensor_value_info(name, TensorProto.FLOAT, None) for name in ("x", "w")],
        [helper.make_tensor_value_info("y", TensorProto.INT64, None)],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=9)


def test_an_index_must_be_the_very_one():
    rng = np.random.default_rng(0)
    feeds = {"x": rng.standard_normal((4, 9)).astype(np.float32), "w": rng.standard_normal((9, 5)).astype(np.float32)}
    one = GraphBound(index_file()).expect(feeds)["y"]
    assert compare_graph(one.want, one, dtype=np.dtype(np.int64)).passed
    verdict = compare_graph(one.want + np.array([0, 0, 1, 0]), one, dtype=np.dtype(np.int64))
    assert verdict.reason == f"y[2] is {one.want[2] + 1}, the reference says {one.want[2]}"
    assert verdict.worst_index == (2,)


def test_an_index_that_rounding_decides_is_not_judged():
    """Two columns of the same numbers in another order: which sum is larger is rounding's to say."""
    rng = np.random.default_rng(0)
    column = rng.standard_normal(400).astype(np.float32)
    feeds = {"x": np.ones((1, 400), np.float32), "w": np.stack([column, column[::-1]], axis=1)}
    one = GraphBound(index_file()).expect(feeds)["y"]
    assert math.isnan(one.bound)
    assert compare_graph(1 - one.want, one, dtype=np.dtype(np.int64)).passed


@pytest.mark.parametrize(
    ("got", "words"),
    [
        (np.zeros(3, np.float64), "y is float64 (3,), the graph says float32 (3,)"),
        (np.zeros(2, np.float32), "y is float32 (2,), the graph says float32 (3,)"),
        (np.array([0, np.nan, 0], np.float32), "y[1] is nan, the reference says 0"),
        (np.array([0, 0, 1e-3], np.float32), "y[2] is 0.001, the reference says 0: off by 1.0e-03, allowed 1.0e-06"),
    ],
)
def test_a_verdict_names_what_is_wrong(got, words):
    verdict = compare_graph(got, Expected("y", np.zeros(3), 0.0, 1e-6), dtype=FLOAT32)
    assert verdict.reason == words


def test_what_is_not_finite_in_float64_cannot_be_judged():
    node = helper.make_node("Log", ["x"], ["y"])
    graph = helper.make_graph(
        [node],
        "g",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, None)],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, None)],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=9)
    with pytest.raises(GraphError, match="its output 'y' is not finite in float64"):
        GraphBound(model).expect({"x": np.zeros(2, np.float32)})
