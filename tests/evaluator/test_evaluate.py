"""Graphs in float64 against NumPy by hand and against the reference: nothing is rounded, at no depth."""

import numpy as np
import onnx
import onnx_ir as ir
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from onnx import TensorProto, helper, numpy_helper

from lstmbench.errors import GraphError
from lstmbench.evaluator import Attributes, Evaluator, lstm
from lstmbench.export import graph
from lstmbench.export.source import of_head
from lstmbench.model import reference, stimulus
from lstmbench.model.weights import random_weights
from lstmbench.records import ModelConfig

FLOAT, DOUBLE, INT64, BOOL = TensorProto.FLOAT, TensorProto.DOUBLE, TensorProto.INT64, TensorProto.BOOL
THIRD = np.float32(1 / 3)
RNG = np.random.default_rng(5)


def made(nodes, inputs, outputs, constants=(), *, opset=18, functions=(), domains=()):
    """A model; inputs and outputs by name, each a type or a type and a shape."""

    def ports(named):
        return [helper.make_tensor_value_info(n, *(t if isinstance(t, tuple) else (t, None))) for n, t in named.items()]

    held = [numpy_helper.from_array(array, name) for name, array in dict(constants).items()]
    graph = helper.make_graph(nodes, "g", ports(inputs), ports(outputs), held)
    imports = [helper.make_opsetid("", opset), *(helper.make_opsetid(domain, 1) for domain in domains)]
    return helper.make_model(graph, opset_imports=imports, ir_version=10, functions=functions)


def body(nodes, inputs, outputs, constants=()):
    return made(nodes, inputs, outputs, constants).graph


def f32(*shape):
    return RNG.standard_normal(shape).astype(np.float32)


# --- nothing is rounded -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "constant",
    [
        helper.make_node("Constant", [], ["k"], value=numpy_helper.from_array(THIRD)),
        helper.make_node("Constant", [], ["k"], value_float=float(THIRD)),
        helper.make_node("Constant", [], ["k"], value_floats=[float(THIRD)]),
        helper.make_node("Cast", ["d"], ["k"], to=FLOAT),
        helper.make_node("ConstantOfShape", ["one"], ["k"], value=numpy_helper.from_array(np.array([THIRD]))),
        helper.make_node("Add", ["held", "zero"], ["k"]),
    ],
    ids=["tensor", "value_float", "value_floats", "cast", "of shape", "initializer"],
)
def test_what_is_float32_in_the_file_is_float64_here(constant):
    """X times a third, thrice over: float32 would lose it in the first product."""
    nodes = [constant, helper.make_node("Mul", ["x", "k"], ["y"])]
    constants = {"d": np.float64(THIRD), "one": np.array([1]), "held": THIRD, "zero": np.float32(0)}
    model = made(nodes, {"x": FLOAT}, {"y": FLOAT}, constants)
    x = f32(2, 3)
    y = Evaluator(model).run({"x": x})["y"]
    assert y.dtype == np.float64
    assert np.array_equal(y, x.astype(np.float64) * np.float64(THIRD))
    assert not np.array_equal(y, (x * THIRD).astype(np.float64)), "float32 gives other numbers"


def test_zeros_of_a_shape_are_float64_too():
    nodes = [helper.make_node("ConstantOfShape", ["one"], ["k"]), helper.make_node("Add", ["x", "k"], ["y"])]
    assert Evaluator(made(nodes, {"x": FLOAT}, {"y": FLOAT}, {"one": np.array([1])})).run({"x": f32(2)})["y"].shape == (
        2,
    )


def test_integers_and_truth_values_stay_what_they_are():
    nodes = [
        helper.make_node("ArgMax", ["x"], ["index"], axis=1),
        helper.make_node("Greater", ["x", "zero"], ["above"]),
        helper.make_node("Cast", ["above"], ["count"], to=TensorProto.INT32),
    ]
    outputs = {"index": INT64, "above": BOOL, "count": TensorProto.INT32}
    x = f32(3, 4)
    got = Evaluator(made(nodes, {"x": FLOAT}, outputs, {"zero": np.float32(0)})).run({"x": x})
    assert [array.dtype for array in got.values()] == [np.int64, bool, np.int32]
    assert np.array_equal(got["index"][:, 0], x.argmax(1))
    assert np.array_equal(got["above"], x > 0)


def test_the_file_itself_is_not_changed():
    model = made([helper.make_node("Cast", ["x"], ["y"], to=FLOAT)], {"x": FLOAT}, {"y": FLOAT}, {"w": f32(2)})
    before = model.SerializeToString()
    Evaluator(model)
    assert model.SerializeToString() == before


@pytest.mark.parametrize("rows", [1, 4])
def test_as_it_is_a_file_is_evaluated_in_float32_in_any_order_of_summation(rows):
    w, c = f32(64, 5), f32(5)
    model = made([helper.make_node("Gemm", ["x", "w", "c"], ["y"])], {"x": FLOAT}, {"y": FLOAT}, {"w": w, "c": c})
    x, single = f32(rows, 64), Evaluator(model, float64=False)
    exact = Evaluator(model).run({"x": x})["y"]
    runs = [single.run({"x": x}, rng=np.random.default_rng(n))["y"] for n in range(4)]
    assert all(run.dtype == np.float32 for run in runs)
    assert len({run.tobytes() for run in runs}) > 1, "another order is another rounding"
    for run in runs:
        # 64 products of numbers near 1 and as many sums
        assert np.abs(run - exact).max() < 64 * 2**-24 * 8


@settings(deadline=None)
@given(st.integers(1, 4), st.integers(1, 5), st.integers(1, 4), st.integers(0, 99), st.booleans(), st.booleans())
def test_products_are_those_of_numpy_in_every_order(rows, inner, columns, seed, vector, stacked):
    rng = np.random.default_rng(seed)
    a = rng.standard_normal((*(3,) * stacked, rows, inner)).astype(np.float32)
    b = rng.standard_normal((inner,) if vector else (inner, columns)).astype(np.float32)
    model = made([helper.make_node("MatMul", ["a", "b"], ["y"])], {"a": FLOAT, "b": FLOAT}, {"y": FLOAT})
    want = a.astype(np.float64) @ b.astype(np.float64)
    got = Evaluator(model).run({"a": a, "b": b}, rng=np.random.default_rng(seed))["y"]
    assert got.shape == want.shape
    assert np.allclose(got, want, rtol=0, atol=1e-14)


@pytest.mark.parametrize("turned", [(0, 0), (1, 0), (0, 1), (1, 1)])
def test_gemm_with_all_that_it_can_be_told(turned):
    a, b, c = f32(*((2, 3) if not turned[0] else (3, 2))), f32(*((3, 4) if not turned[1] else (4, 3))), f32(4)
    node = helper.make_node("Gemm", ["a", "b", "c"], ["y"], alpha=0.5, beta=2.0, transA=turned[0], transB=turned[1])
    got = Evaluator(made([node], {"a": FLOAT}, {"y": FLOAT}, {"b": b, "c": c})).run(
        {"a": a}, rng=np.random.default_rng(0)
    )["y"]
    A, B = (m.astype(np.float64).T if t else m.astype(np.float64) for m, t in zip((a, b), turned, strict=True))
    assert np.allclose(got, 0.5 * A @ B + 2.0 * c.astype(np.float64), rtol=0, atol=1e-14)


# --- bodies -------------------------------------------------------------------------------------------------------

STEP = body(
    [
        helper.make_node("MatMul", ["s", "w"], ["p"]),
        helper.make_node("Add", ["p", "x_t"], ["s_"]),
        helper.make_node("Identity", ["s_"], ["y_t"]),
    ],
    {"s": FLOAT, "x_t": FLOAT},
    {"s_": FLOAT, "y_t": FLOAT},
)


def scanned(x, s, w, *, backwards=False):
    """The same in NumPy: x (T, B, H), s (B, H)."""
    s, w, rows = s.astype(np.float64), w.astype(np.float64), []
    for x_t in x[::-1] if backwards else x:
        s = s @ w + x_t
        rows.append(s)
    return s, np.stack(rows)


@pytest.mark.parametrize("backwards", [False, True])
@pytest.mark.parametrize("out_backwards", [False, True])
@pytest.mark.parametrize(("in_axis", "out_axis"), [(0, 0), (1, 0), (1, 1), (0, 2), (-2, -1)])
def test_scan_in_every_direction_and_along_every_axis(backwards, out_backwards, in_axis, out_axis):
    x, s, w = f32(5, 2, 3), f32(2, 3), f32(3, 3)
    node = helper.make_node(
        "Scan",
        ["s", "x"],
        ["last", "all"],
        body=STEP,
        num_scan_inputs=1,
        scan_input_axes=[in_axis],
        scan_output_axes=[out_axis],
        scan_input_directions=[int(backwards)],
        scan_output_directions=[int(out_backwards)],
    )
    model = made([node], {"s": FLOAT, "x": FLOAT}, {"last": FLOAT, "all": FLOAT}, {"w": w})
    got = Evaluator(model).run({"s": s, "x": np.moveaxis(x, 0, in_axis)})
    last, rows = scanned(x, s, w, backwards=backwards)
    assert np.allclose(got["last"], last, rtol=0, atol=1e-12)
    assert np.allclose(got["all"], np.moveaxis(rows[::-1] if out_backwards else rows, 0, out_axis), rtol=0, atol=1e-12)


@pytest.mark.parametrize("counted", [True, False])
def test_loop_stacks_what_its_body_gives_and_stops_where_it_says(counted):
    x, s, w = f32(5, 2, 3), f32(2, 3), f32(3, 3)
    inside = body(
        [
            helper.make_node("Gather", ["x", "n"], ["x_t"]),
            *STEP.node,
            helper.make_node("Add", ["n", "one"], ["next"]),
            helper.make_node("Less", ["next", "end"], ["on"]),
        ],
        {"n": (INT64, []), "going": (BOOL, []), "s": FLOAT},
        {"on": (BOOL, []), "s_": FLOAT, "y_t": FLOAT},
    )
    node = helper.make_node("Loop", ["most" if counted else "", "", "s"], ["last", "all"], body=inside)
    constants = {"w": w, "most": np.array(3), "one": np.array(1), "end": np.array(9 if counted else 4)}
    got = Evaluator(made([node], {"s": FLOAT, "x": FLOAT}, {"last": FLOAT, "all": FLOAT}, constants)).run(
        {"s": s, "x": x}
    )
    last, rows = scanned(x[: 3 if counted else 4], s, w)
    assert np.allclose(got["last"], last, rtol=0, atol=1e-12)
    assert got["all"].shape == rows.shape
    assert np.allclose(got["all"], rows, rtol=0, atol=1e-12)


def test_a_constant_inside_an_if_inside_a_scan_is_not_rounded():
    branch = [
        body([helper.make_node("Constant", [], ["k"], value_float=float(THIRD))], {}, {"k": FLOAT}),
        body([helper.make_node("Constant", [], ["k2"], value_float=1.0)], {}, {"k2": FLOAT}),
    ]
    inside = body(
        [
            helper.make_node("If", ["yes"], ["f"], then_branch=branch[0], else_branch=branch[1]),
            helper.make_node("Mul", ["x_t", "f"], ["y_t"]),
            helper.make_node("Identity", ["s"], ["s_"]),
        ],
        {"s": FLOAT, "x_t": FLOAT},
        {"s_": FLOAT, "y_t": FLOAT},
    )
    node = helper.make_node("Scan", ["s", "x"], ["last", "y"], body=inside, num_scan_inputs=1)
    model = made([node], {"s": FLOAT, "x": FLOAT}, {"last": FLOAT, "y": FLOAT}, {"yes": np.array(True)})
    x = f32(3, 2)
    assert np.array_equal(Evaluator(model).run({"s": f32(1), "x": x})["y"], x.astype(np.float64) * np.float64(THIRD))


# --- the LSTM is ours, at every depth -----------------------------------------------------------------------------

H, E = 4, 3
OPERATOR = {
    "W": f32(2, 4 * H, E),
    "R": f32(2, 4 * H, H),
    "B": f32(2, 8 * H),
    "lens": np.array([2, 5, 1], np.int32),
    "h": f32(2, 3, H),
    "c": f32(2, 3, H),
    "P": f32(2, 3 * H),
}
HOW = {"direction": "bidirectional", "clip": 0.3, "input_forget": 1}
ACTIVATIONS = {"activations": ["HardSigmoid", "Softsign", "Relu"] * 2, "activation_alpha": [0.3, 0.25]}
NODE = helper.make_node("LSTM", ["x", *OPERATOR], ["Y", "Y_h", "Y_c"], hidden_size=H, **HOW, **ACTIVATIONS)


def by_ours(x):
    how = Attributes(
        direction="bidirectional",
        clip=float(np.float32(0.3)),
        input_forget=True,
        activations=tuple(ACTIVATIONS["activations"]),
        activation_alpha=tuple(float(np.float32(a)) for a in ACTIVATIONS["activation_alpha"]),
    )
    exact = [a.astype(np.float64) if a.dtype == np.float32 else a for a in OPERATOR.values()]
    return lstm(x.astype(np.float64), *exact, how=how)


def inside(depth):
    """The operator in so many branches of If, the innermost inside a Scan."""
    outputs = {"Y": FLOAT, "Y_h": FLOAT, "Y_c": FLOAT}
    if depth == 0:
        return [NODE], outputs
    if depth == 1:
        step = body(
            [NODE, helper.make_node("Identity", ["n"], ["n_"])], {"n": FLOAT, "x": FLOAT}, {"n_": FLOAT} | outputs
        )
        scan = helper.make_node("Scan", ["zero", "x4"], ["n", "Y4", "Y4_h", "Y4_c"], body=step, num_scan_inputs=1)
        nodes = [helper.make_node("Unsqueeze", ["x", "front"], ["x4"]), scan]
        nodes += [helper.make_node("Squeeze", [f"{y.replace('Y', 'Y4')}", "front"], [y]) for y in outputs]
        return nodes, outputs
    nodes, _ = inside(depth - 1)
    yes = body(nodes, {}, outputs)
    no = body(
        [helper.make_node("Identity", ["h"], [y]) for y in ("Z", "Z_h", "Z_c")],
        {},
        dict.fromkeys(("Z", "Z_h", "Z_c"), FLOAT),
    )
    return [helper.make_node("If", ["yes"], list(outputs), then_branch=yes, else_branch=no)], outputs


@pytest.mark.parametrize("depth", [0, 1, 2, 3])
def test_all_that_an_lstm_is_told_counts_at_every_depth(depth):
    nodes, outputs = inside(depth)
    constants = OPERATOR | {"zero": np.float32(0), "front": np.array([0]), "yes": np.array(True)}
    evaluator = Evaluator(made(nodes, {"x": FLOAT}, outputs, constants))
    x = f32(5, 3, E)
    for rng in (None, np.random.default_rng(1)):
        got = evaluator.run({"x": x}, rng=rng)
        for one, want in zip(got.values(), by_ours(x), strict=True):
            assert np.allclose(one, want, rtol=0, atol=1e-13)
    assert evaluator.steps == 10, "five in each direction"


@pytest.mark.parametrize("ignored", ["sequence_lens", "clip", "input_forget", "activations"])
def test_each_of_them_makes_a_difference_here_that_no_tolerance_hides(ignored):
    node = onnx.NodeProto()
    node.CopyFrom(NODE)
    if ignored == "sequence_lens":
        node.input[4] = ""
    else:
        keep = [a for a in node.attribute if not a.name.startswith(ignored[:10])]
        del node.attribute[:]
        node.attribute.extend(keep)
    x = f32(5, 3, E)
    got = Evaluator(made([node], {"x": FLOAT}, {"Y": FLOAT}, OPERATOR)).run({"x": x})["Y"]
    assert np.abs(got - by_ours(x)[0]).max() > 1e-3


def test_a_batch_first_lstm_is_evaluated_as_one():
    names = ["x", "W", "R", "B", "lens", "h", "c"]
    first = helper.make_node("LSTM", names, ["Y"], hidden_size=H, direction="bidirectional", layout=1)
    plain = helper.make_node("LSTM", names, ["Y"], hidden_size=H, direction="bidirectional")
    x = f32(5, 3, E)
    turned = OPERATOR | {"h": OPERATOR["h"].swapaxes(0, 1), "c": OPERATOR["c"].swapaxes(0, 1)}
    got = Evaluator(made([first], {"x": FLOAT}, {"Y": FLOAT}, turned)).run({"x": x.swapaxes(0, 1)})["Y"]
    want = Evaluator(made([plain], {"x": FLOAT}, {"Y": FLOAT}, OPERATOR)).run({"x": x})["Y"]
    assert np.allclose(got, want.transpose(2, 0, 1, 3), rtol=0, atol=1e-13)


def test_a_state_of_one_row_is_not_spread_over_all():
    model = made([NODE], {"x": FLOAT}, {"Y": FLOAT}, OPERATOR | {"h": OPERATOR["h"][:, :1]})
    where = r"^it cannot be evaluated at x \(5, 3, 3\): node 'Y' \(LSTM\): "
    with pytest.raises(GraphError, match=where + "ValueError: the shapes of an LSTM"):
        Evaluator(model).run({"x": f32(5, 3, E)})


def test_a_hidden_size_that_the_weights_have_not_is_told():
    names = ["x", "W", "R", "B", "lens", "h", "c"]
    node = helper.make_node("LSTM", names, ["Y"], hidden_size=H + 1, direction="bidirectional")
    with pytest.raises(GraphError, match=f"hidden_size of an LSTM is {H + 1}, its R has the shape"):
        Evaluator(made([node], {"x": FLOAT}, {"Y": FLOAT}, OPERATOR)).run({"x": f32(5, 3, E)})


# --- our own exports ----------------------------------------------------------------------------------------------


def exact_sums(weights):
    """Weights whose biases are summed without rounding, as an export sums them in float32."""
    return {name: np.round(a * 64) / np.float32(64) if "bias" in name else a for name, a in weights.items()}


@pytest.mark.parametrize("form", ["lstm", "scan", "loop", "unrolled5", "step"])
@pytest.mark.parametrize("peephole", ["full", "diagonal", "none"])
@pytest.mark.parametrize(("head", "bidirectional"), [("lm", False), ("layer", False), ("layer", True)])
def test_an_export_is_evaluated_to_the_reference(form, peephole, head, bidirectional):
    if (form == "lstm" and peephole == "full") or (form == "step" and bidirectional):
        pytest.skip("there is no such file")
    sizes = {"input_size": 5, "hidden_size": 6, "num_layers": 2, "vocabulary_size": 9 if head == "lm" else 0}
    config = ModelConfig(head=head, peephole=peephole, bidirectional=bidirectional, **sizes)
    weights = exact_sums(random_weights(config, seed=3))
    lengths = form != "step"
    model = graph.build(of_head(head, config, weights, lengths=lengths), form, look_up=False)
    time = 1 if form == "step" else 5
    inputs = stimulus.inputs(config, batch=3, time=time, seed=1)
    state = stimulus.state(config, batch=3, seed=2)
    feeds = {"input_ids" if head == "lm" else "x": inputs, "h_0": state.h, "c_0": state.c}
    ends = np.array([2, 5, 1], np.int32) if lengths else None
    feeds |= {} if ends is None else {"lengths": ends}
    got = Evaluator(ir.to_proto(model)).run(feeds)
    output, (h, c) = reference.run(config, weights, inputs, state, lengths=ends)
    for name, want in zip(config.output_names, (output, h, c), strict=True):
        assert got[name].dtype == np.float64
        assert np.abs(got[name] - want).max() < 1e-12, name


# --- what is refused ----------------------------------------------------------------------------------------------


def one(op, *, inputs=("x",), domain="", constants=(), **attributes):
    node = helper.make_node(op, list(inputs), ["y"], name="n", domain=domain, **attributes)
    return made([node], {"x": FLOAT}, {"y": FLOAT}, constants, domains=[domain] if domain else [])


HALF = numpy_helper.from_array(np.float16(1))
GRU = {"w": f32(1, 3 * H, E), "r": f32(1, 3 * H, H), "lens": np.array([1], np.int32)}


@pytest.mark.parametrize(
    ("model", "words"),
    [
        (one("FastGelu", domain="com.microsoft"), "node 'n' (FastGelu) is of domain 'com.microsoft', not of the stand"),
        (one("RandomNormalLike"), "node 'n' (RandomNormalLike) draws random numbers"),
        (one("Dropout", inputs=("x", "", "yes"), constants={"yes": np.array(True)}), "draws random numbers"),
        (one("Cast", to=TensorProto.FLOAT16), "it holds float16: only files in float32"),
        (one("Cast", to=TensorProto.BFLOAT16), "it holds bfloat16: only files in float32"),
        (one("Add", inputs=("x", "w"), constants={"w": np.float16(1)}), "it holds float16: only files in float32"),
        (made([helper.make_node("Constant", [], ["y"], value=HALF)], {}, {"y": FLOAT}), "it holds float16"),
        (one("DequantizeLinear", inputs=("x", "x")), "node 'n' (DequantizeLinear) rounds to integers: only files in"),
        (one("DynamicQuantizeLSTM", domain="com.microsoft"), "node 'n' (DynamicQuantizeLSTM) rounds to integers"),
        (one("GRU", inputs=("x", "w", "r", "", "lens"), constants=GRU, hidden_size=H), "node 'n' (GRU) has sequence_"),
        (one("GRU", inputs=("x", "w", "r"), constants=GRU, hidden_size=H, clip=1.0), "node 'n' (GRU) has clip"),
        (one("NoSuchOperator"), "it cannot be evaluated: "),
    ],
)
def test_what_is_not_evaluated_is_said_in_one_line(model, words):
    with pytest.raises(GraphError) as caught:
        Evaluator(model)
    assert words in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_lower_precision_in_a_body_is_seen_too():
    step = body(
        [
            helper.make_node("Cast", ["s"], ["half"], to=TensorProto.FLOAT16),
            helper.make_node("Cast", ["half"], ["s_"], to=FLOAT),
        ],
        {"s": FLOAT, "x_t": FLOAT},
        {"s_": FLOAT},
    )
    node = helper.make_node("Scan", ["s", "x"], ["last"], body=step, num_scan_inputs=1)
    with pytest.raises(GraphError, match="it holds float16"):
        Evaluator(made([node], {"s": FLOAT, "x": FLOAT}, {"last": FLOAT}))


def test_an_operator_that_rounds_on_its_own_is_refused():
    """`onnx.reference` gives float32 for these weights, whatever it is given."""
    constants = {"bins": np.array(4), "length": np.array(8), "rate": np.array(8000), "high": np.float32(4000)}
    node = helper.make_node("MelWeightMatrix", ["bins", "length", "rate", "x", "high"], ["y"])
    with pytest.raises(GraphError, match="operator MelWeightMatrix rounds to float32"):
        Evaluator(made([node], {"x": FLOAT}, {"y": FLOAT}, constants)).run({"x": np.float32(0)})


def test_a_function_of_the_file_is_evaluated_where_it_is_called():
    third = helper.make_node("Constant", [], ["k"], value_float=float(THIRD))
    function = helper.make_function(
        "mine",
        "Third",
        ["a"],
        ["b"],
        [third, helper.make_node("Mul", ["a", "k"], ["b"])],
        [helper.make_opsetid("", 18)],
    )
    call = helper.make_node("Third", ["x"], ["y"], domain="mine")
    x = f32(3)
    got = Evaluator(made([call], {"x": FLOAT}, {"y": FLOAT}, functions=[function], domains=["mine"])).run({"x": x})["y"]
    assert np.array_equal(got, x.astype(np.float64) * np.float64(THIRD))
