"""What a graph may make of what it is given: a node that makes too much is refused by its name, wherever it stands."""

import itertools

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from lstmbench.errors import GraphError
from lstmbench.evaluator import Evaluator, growth

FLOAT, BOOL, INT64 = TensorProto.FLOAT, TensorProto.BOOL, TensorProto.INT64
MOST = 1000


def graph(nodes, **constants):
    ports = [helper.make_tensor_value_info(name, FLOAT, None) for name in "xy"]
    held = [numpy_helper.from_array(np.asarray(value), name) for name, value in constants.items()]
    made = helper.make_graph(nodes, "grows", ports[:1], ports[1:], held)
    return helper.make_model(made, opset_imports=[helper.make_opsetid("", 18)], ir_version=9)


def ran(model, monkeypatch, *, most=MOST):
    monkeypatch.setattr(growth, "_LEAST", most)
    return Evaluator(model).run({"x": np.ones((2, 3), np.float32)})["y"]


def doubled(times):
    names = ["x", *(f"d{n}" for n in range(times - 1)), "y"]
    return [helper.make_node("Concat", [a, a], [b], axis=0) for a, b in itertools.pairwise(names)]


GROWING = {
    "Concat": (doubled(40), {}),
    "Tile": ([helper.make_node("Tile", ["x", "n"], ["y"])], {"n": [1000, 1]}),
    "Expand": ([helper.make_node("Expand", ["x", "n"], ["y"])], {"n": [1000, 1, 1]}),
    "Pad": ([helper.make_node("Pad", ["x", "n"], ["y"])], {"n": [0, 0, 0, 1000]}),
    "ConstantOfShape": ([helper.make_node("ConstantOfShape", ["n"], ["y"])], {"n": [2000]}),
    "Range": ([helper.make_node("Range", ["a", "n", "b"], ["y"])], {"a": 0, "n": 5000, "b": 1}),
    "OneHot": (
        [helper.make_node("OneHot", ["a", "n", "b"], ["y"])],
        {"a": [1], "n": 5000, "b": np.ones(2, np.float32)},
    ),
    "MatMul": ([helper.make_node("MatMul", ["a", "b"], ["y"])], {"a": np.ones((90, 1)), "b": np.ones((1, 90))}),
    "Einsum": ([helper.make_node("Einsum", ["a", "a"], ["y"], equation="i,j->ij")], {"a": np.ones(90)}),
}


@pytest.mark.parametrize("operator", GROWING)
def test_a_node_that_makes_too_much_is_named(operator, monkeypatch):
    nodes, constants = GROWING[operator]
    with pytest.raises(
        GraphError, match=rf"\({operator}\) makes an array of [\d,]+ numbers: at most 1,000 are evaluated"
    ):
        ran(graph(nodes, **constants), monkeypatch)


def test_a_state_that_doubles_at_every_step_is_refused_in_its_body(monkeypatch):
    port = helper.make_tensor_value_info
    body = helper.make_graph(
        [helper.make_node("Identity", ["on"], ["on_"]), helper.make_node("Concat", ["s", "s"], ["s_"], axis=0)],
        "body",
        [port("n", INT64, []), port("on", BOOL, []), port("s", FLOAT, None)],
        [port("on_", BOOL, []), port("s_", FLOAT, None)],
    )
    with pytest.raises(GraphError, match=r"node 's_' \(Concat\) makes an array"):
        ran(graph([helper.make_node("Loop", ["n", "", "x"], ["y"], body=body)], n=60), monkeypatch)


@pytest.mark.parametrize("sizes", [False, True])
def test_what_is_to_be_resized_is_asked_before_it_takes_its_time(sizes, monkeypatch):
    wide = {"n": np.array([2, 10**7])} if sizes else {"n": np.array([1, 1e7], np.float32)}
    node = helper.make_node("Resize", ["x", "", "", "n"] if sizes else ["x", "", "n"], ["y"])
    with pytest.raises(GraphError, match=r"\(Resize\) makes an array of [26]0,000,000 numbers: at most 1,048,576"):
        ran(graph([node], **wide), monkeypatch, most=2**26)
    small = {"n": np.array([4, 6])} if sizes else {"n": np.array([2, 2], np.float32)}
    assert ran(graph([node], **small), monkeypatch).shape == (4, 6)


def test_what_is_in_proportion_to_the_weights_is_made(monkeypatch):
    large = {"a": np.ones((30, 100), np.float32)}
    nodes = [helper.make_node("Transpose", ["a"], ["b"]), helper.make_node("ReduceSum", ["b"], ["y"])]
    assert ran(graph(nodes, **large), monkeypatch) == 3000
    assert growth.most_numbers(onnx.ModelProto()) == MOST


def test_a_node_whose_factors_are_attributes_is_asked_when_it_has_run():
    assert growth._resized((np.full((2, 3), 1e6),)) == 0
