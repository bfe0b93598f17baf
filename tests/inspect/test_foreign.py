"""Files that others made: the LSTM operator in its variants, loops, chains of steps, and no recurrence at all."""

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from lstmbench.inspect import inspect

E, H = 3, 4
P = np.linspace(-1, 1, 3 * H, dtype=np.float32).reshape(1, 3 * H)


def says(told, *words):
    return any(all(word in line for word in words) for line in told.warnings)


def test_an_lstm_with_p_is_diagonal_and_its_traps_are_told(lstm):
    told = inspect(lstm(P))
    assert (told.form, told.cell, told.head) == ("lstm", "diagonal", "layer")
    assert (told.input_size, told.hidden_size) == (E, H)
    assert told.contract == "state in and out: h0 → hn, c0 → cn"
    assert says(told, "OpenVINO", "IREE")
    assert says(told, "OpenCV")
    assert says(told, "CUDA")


def test_an_lstm_without_p_has_none_of_them(lstm):
    told = inspect(lstm())
    assert told.cell == "none"
    assert told.warnings == ()


def test_p_of_zeros_from_a_node_computes_none(lstm, change):
    def compute(proto):
        kept = [tensor for tensor in proto.graph.initializer if tensor.name != "P"]
        del proto.graph.initializer[:]
        proto.graph.initializer.extend(kept)
        proto.graph.initializer.append(numpy_helper.from_array(np.array([1, 3 * H]), "size"))
        proto.graph.node.insert(0, helper.make_node("ConstantOfShape", ["size"], ["P"]))

    told = inspect(change(lstm(P), compute))
    assert (told.cell, told.recurrences[0].why) == ("none", "P is all zero")
    assert says(told, "CUDA")  # which asks whether there is a P, not what it holds
    assert not says(told, "OpenVINO")  # whose answer is right for this file


@pytest.mark.parametrize(
    ("state", "out", "contract"),
    [
        (True, True, "state in and out: h0 → hn, c0 → cn"),
        (True, False, "state in, not out: h0, c0"),
        (False, True, "no state in (starts from zeros); out only: hn, cn"),
        (False, False, "no state in (starts from zeros), none out"),
    ],
)
def test_the_state_contract(lstm, state, out, contract):
    assert inspect(lstm(state=state, out=out)).contract == contract


@pytest.mark.parametrize(
    ("attributes", "option", "warning"),
    [
        ({"layout": 1}, "layout 1", "refuses layout 1"),
        ({"clip": 3.0}, "clip 3", "does not apply clip"),
        ({"input_forget": 1}, "input_forget 1", "CUDA"),
        ({"activations": ["Sigmoid", "Relu", "Tanh"]}, "activations Sigmoid, Relu, Tanh", "CUDA"),
        ({"lengths": True}, "sequence_lens", "length 0"),
    ],
)
def test_what_differs_from_the_default_is_told_with_its_trap(lstm, attributes, option, warning):
    told = inspect(lstm(**attributes))
    assert told.recurrences[0].options == (option,)
    assert says(told, warning)


def test_activations_that_are_the_default_are_no_option(lstm):
    assert inspect(lstm(activations=["Sigmoid", "Tanh", "Tanh"])).recurrences[0].options == ()


@pytest.mark.parametrize(("layout", "axis"), [(0, 0), (1, 1)])
def test_a_frozen_length_is_told_at_its_axis(lstm, layout, axis):
    shape = ["T", "B", E] if layout == 0 else ["B", "T", E]
    assert not says(inspect(lstm(x=shape, layout=layout)), "frozen")
    shape[axis] = 7
    told = inspect(lstm(x=shape, layout=layout))
    assert says(told, "T is frozen at 7 in input 'x'")
    assert told.inputs[0].time_axis == axis


def test_a_gru_is_listed_and_is_no_lstm(lstm):
    told = inspect(lstm(operator="GRU"))
    assert (told.form, told.cell, told.recurrences[0].operator) == (None, None, "GRU")
    assert told.contract == "state in and out: h0 → hn"


def test_versions_that_old_runtimes_refuse_are_told(foreign):
    node = helper.make_node("Identity", ["x"], ["y"])
    told = inspect(foreign([node], {"x": ("B", E)}, {"y": ("B", E)}, {}, opset=22, ir_version=11))
    assert says(told, "opset above 21", "22")
    assert says(told, "IR version above 10", "11")


def test_a_file_without_recurrence_says_so(foreign):
    node = helper.make_node("MatMul", ["x", "W"], ["y"])
    told = inspect(foreign([node], {"x": ("B", E)}, {"y": ("B", H)}, {"W": np.ones((E, H), np.float32)}))
    assert (told.contract, told.recurrences, told.form) == ("no recurrence here", (), None)
    assert told.warnings == ()


def cell_nodes(x, h, c, *, at="", cell="none", gru=False):
    """One step with separate products and named gates -> nodes; h' and c' are `{at}h1`, `{at}c1`."""
    node = helper.make_node
    nodes = [
        node("MatMul", [x, "W"], [f"{at}wx"]),
        node("MatMul", [h, "U"], [f"{at}uh"]),
        node("Add", [f"{at}wx", f"{at}uh"], [f"{at}z0"]),
    ]
    z = f"{at}z0"
    if cell == "full":
        nodes += [node("MatMul", [c, "V"], [f"{at}vc"]), node("Add", [z, f"{at}vc"], [f"{at}z"])]
        z = f"{at}z"
    nodes.append(node("Split", [z, "sizes"], [f"{at}{gate}" for gate in "ifgo"], axis=-1))
    gates = {gate: f"{at}{gate}" for gate in "ifgo"}

    def peep(gate, seen):
        nodes.extend(
            [node("Mul", ["p", seen], [f"{at}p{gate}"]), node("Add", [f"{at}p{gate}", gates[gate]], [f"{at}q{gate}"])]
        )
        gates[gate] = f"{at}q{gate}"

    if cell in {"diagonal", "old"}:
        peep("i", c)
        peep("f", c)
    if cell == "old":
        peep("o", c)
    for gate in "if":
        nodes.append(node("Sigmoid", [gates[gate]], [f"{at}s{gate}"]))
    nodes += [
        node("Tanh", [gates["g"]], [f"{at}tg"]),
        node("Mul", [c, f"{at}sf"], [f"{at}kept"]),
        node("Mul", [f"{at}si", f"{at}tg"], [f"{at}added"]),
        node("Add", [f"{at}added", f"{at}kept"], [f"{at}c1"]),
    ]
    if cell == "diagonal":
        peep("o", f"{at}c1")
    return [
        *nodes,
        node("Sigmoid", [gates["o"]], [f"{at}so"]),
        node("Tanh", [f"{at}c1"], [f"{at}tc"]),
        node("Mul", [f"{at}tc", f"{at}so"], [f"{at}h1"]),
    ]


def constants(cell):
    rng = np.random.default_rng(1)
    shapes = {"W": (E, 4 * H), "U": (H, 4 * H)}
    shapes |= {"V": (H, 4 * H)} if cell == "full" else {"p": (H,)} if cell != "none" else {}
    made = {name: rng.standard_normal(shape).astype(np.float32) for name, shape in shapes.items()}
    return made | {"sizes": np.array([H] * 4)}


def state(name, shape=("B", H)):
    return helper.make_tensor_value_info(name, TensorProto.FLOAT, shape)


CELLS = [("none", "none"), ("diagonal", "diagonal"), ("old", "diagonal"), ("full", "full")]


@pytest.mark.parametrize(("cell", "told_as"), CELLS)
def test_one_step_without_a_loop_is_form_step(foreign, cell, told_as):
    values = {"x": ("B", E), "h": ("B", H), "c": ("B", H)}
    told = inspect(
        foreign(cell_nodes("x", "h", "c", cell=cell), values, {"h1": ("B", H), "c1": ("B", H)}, constants(cell))
    )
    assert (told.form, told.cell) == ("step", told_as)
    assert (told.input_size, told.hidden_size) == (E, H)
    assert told.contract == "state in and out: h → h1, c → c1"


def test_peepholes_of_which_none_sees_the_new_c_are_told_from_onnxs(foreign):
    values = {"x": ("B", E), "h": ("B", H), "c": ("B", H)}
    path = foreign(cell_nodes("x", "h", "c", cell="old"), values, {"h1": ("B", H), "c1": ("B", H)}, constants("old"))
    assert "unlike in ONNX's P" in inspect(path).recurrences[0].why


@pytest.mark.parametrize(("cell", "told_as"), CELLS)
def test_a_loop_that_was_unrolled_is_one_chain_with_its_count(foreign, cell, told_as):
    nodes, h, c = [], "h", "c"
    for t in range(5):
        nodes += [helper.make_node("Gather", ["x", f"t{t}"], [f"x{t}"], axis=0)]
        nodes += cell_nodes(f"x{t}", h, c, at=f"s{t}", cell=cell)
        h, c = f"s{t}h1", f"s{t}c1"
    held = constants(cell) | {f"t{t}": np.array(t) for t in range(5)}
    told = inspect(foreign(nodes, {"x": ("T", "B", E), "h": ("B", H), "c": ("B", H)}, {h: ("B", H), c: ("B", H)}, held))
    assert (told.form, told.cell, len(told.recurrences)) == ("unrolled5", told_as, 1)
    assert told.contract == f"state in and out: h → {h}, c → {c}"
    assert says(told, "5 steps are written into the graph")


@pytest.mark.parametrize(("cell", "told_as"), CELLS)
def test_a_scan_over_anothers_step(foreign, cell, told_as):
    nodes = [*cell_nodes("xt", "h", "c", cell=cell), helper.make_node("Identity", ["h1"], ["yt"])]
    body = helper.make_graph(
        nodes, "b", [state("c"), state("h"), state("xt", ("B", E))], [state("c1"), state("h1"), state("yt")]
    )
    scan = helper.make_node("Scan", ["c0", "h0", "x"], ["cn", "hn", "y"], name="s", body=body, num_scan_inputs=1)
    outputs = {"y": ("T", "B", H), "hn": ("B", H), "cn": ("B", H)}
    told = inspect(foreign([scan], {"x": (9, "B", E), "h0": ("B", H), "c0": ("B", H)}, outputs, constants(cell)))
    assert (told.form, told.cell, told.input_size, told.hidden_size) == ("scan", told_as, E, H)
    assert [(s.name, s.input, s.output) for s in told.recurrences[0].states] == [("c", "c0", "cn"), ("h", "h0", "hn")]
    assert says(told, "frozen at 9")
    assert says(told, "IREE", "Scan")


def test_a_loop_from_zeros_that_counts_to_a_constant(foreign):
    nodes = [
        helper.make_node("Gather", ["x", "t"], ["xt"], axis=0),
        *cell_nodes("xt", "h", "c", cell="full"),
        helper.make_node("Identity", ["on"], ["still"]),
    ]
    flag = helper.make_tensor_value_info("on", TensorProto.BOOL, [])
    t = helper.make_tensor_value_info("t", TensorProto.INT64, [])
    still = helper.make_tensor_value_info("still", TensorProto.BOOL, [])
    body = helper.make_graph(nodes, "b", [t, flag, state("h"), state("c")], [still, state("h1"), state("c1")])
    loop = helper.make_node("Loop", ["trips", "", "zero", "zero"], ["hn", "cn"], name="l", body=body)
    held = constants("full") | {"trips": np.array(6), "zero": np.zeros((2, H), np.float32)}
    told = inspect(foreign([loop], {"x": ("T", 2, E)}, {"hn": (2, H)}, held))
    assert (told.form, told.cell, told.recurrences[0].steps) == ("loop", "full", 6)
    assert told.contract == "no state in (starts from zeros); out only: hn"
    assert says(told, "tract", "Loop")


def test_a_loop_that_is_no_recurrence_of_an_lstm_is_not_called_one(foreign):
    nodes = [helper.make_node("Add", ["h", "xt"], ["h1"])]
    body = helper.make_graph(nodes, "b", [state("h"), state("xt")], [state("h1")])
    scan = helper.make_node("Scan", ["h0", "x"], ["hn"], name="s", body=body, num_scan_inputs=1)
    told = inspect(foreign([scan], {"x": ("T", "B", H), "h0": ("B", H)}, {"hn": ("B", H)}, {}))
    assert (told.cell, told.recurrences[0].why) == (None, "the body is no LSTM's step")


def test_a_product_of_c_beside_the_gates_is_no_peephole(foreign):
    nodes = [*cell_nodes("x", "h", "c"), helper.make_node("MatMul", ["c1", "U"], ["bridge"])]
    values = {"x": ("B", E), "h": ("B", H), "c": ("B", H)}
    outputs = {"h1": ("B", H), "c1": ("B", H), "bridge": ("B", 4 * H)}
    assert inspect(foreign(nodes, values, outputs, constants("none"))).cell == "none"


def test_a_reshape_that_freezes_what_was_exported_is_told(foreign):
    nodes = [
        helper.make_node("Reshape", ["x", "size"], ["x3"], name="baked"),
        helper.make_node("LSTM", ["x3", "W", "R"], ["y"], hidden_size=H),
    ]
    held = {"W": np.ones((1, 4 * H, E), np.float32), "R": np.ones((1, 4 * H, H), np.float32)}
    held["size"] = np.array([5, 2, E])
    told = inspect(foreign(nodes, {"x": ("T", "B", E)}, {"y": [None] * 4}, held))
    assert says(told, "baked", "[5, 2, 3]")


@pytest.mark.parametrize(
    ("operator", "attributes", "precision"),
    [
        ("DynamicQuantizeMatMul", {}, "int8"),
        ("MatMulNBits", {"K": 32, "N": 8, "bits": 4, "block_size": 32}, "int4"),
        ("MatMulNBits", {"K": 32, "N": 8, "bits": 4, "block_size": 32, "accuracy_level": 4}, "int4a8"),
    ],
)
def test_the_precision_is_that_of_the_products(foreign, operator, attributes, precision):
    node = helper.make_node(operator, ["x", "W", "s"], ["y"], domain="com.microsoft", **attributes)
    held = {"W": np.ones((8, 1, 16), np.uint8), "s": np.ones(8, np.float32)}
    told = inspect(foreign([node], {"x": ("B", 32)}, {"y": ("B", 8)}, held, domains=["com.microsoft"]))
    assert told.precision == precision
    assert told.nodes == {f"com.microsoft.{operator}": 1}


def test_a_quantised_lstm_keeps_its_p(foreign):
    held = {"W": np.ones((1, E, 4 * H), np.int8), "R": np.ones((1, H, 4 * H), np.int8), "P": P}
    inputs = ["x", "W", "R", "", "", "", "", "P"]
    node = helper.make_node("DynamicQuantizeLSTM", inputs, ["y"], domain="com.microsoft", hidden_size=H)
    told = inspect(foreign([node], {"x": ("T", "B", E)}, {"y": [None] * 4}, held, domains=["com.microsoft"]))
    assert (told.form, told.cell, told.precision, told.input_size) == ("lstm", "diagonal", "int8", E)


def test_half_precision_is_told(lstm, change):
    def halve(proto):
        for tensor in proto.graph.initializer:
            tensor.CopyFrom(numpy_helper.from_array(numpy_helper.to_array(tensor).astype(np.float16), tensor.name))

    told = inspect(change(lstm(P), halve))
    assert told.precision == "fp16"
    assert says(told, "fp16", "float32")


def test_nodes_are_counted_with_those_of_bodies(foreign):
    body = helper.make_graph(
        cell_nodes("xt", "h", "c"), "b", [state("h"), state("c"), state("xt", ("B", E))], [state("h1"), state("c1")]
    )
    scan = helper.make_node("Scan", ["h0", "c0", "x"], ["hn", "cn"], body=body, num_scan_inputs=1)
    path = foreign([scan], {"x": ("T", "B", E), "h0": ("B", H), "c0": ("B", H)}, {"hn": ("B", H)}, constants("none"))
    told = inspect(path)
    assert (told.nodes["Scan"], told.nodes["MatMul"], told.nodes["Mul"]) == (1, 2, 3)
    assert sum(row.size_bytes for row in told.parameters) == sum(
        numpy_helper.to_array(tensor).nbytes for tensor in onnx.load_model(path).graph.initializer
    )


@pytest.mark.parametrize(
    ("sizes", "want"),
    [
        ({"embedding": True, "head": "linear"}, ("classes", 20, 5)),
        ({"head": "softmax"}, ("layer", None, 5)),
        ({"direction": "bidirectional"}, ("layer", None, 16)),
    ],
)
def test_what_comes_out_is_not_taken_for_what_goes_in(tmp_path, foreign_graphs, sizes, want):
    """A tagger's tokens are of one vocabulary, its answers are classes."""
    path = tmp_path / "tagger.onnx"
    path.write_bytes(foreign_graphs.lstm_file(foreign_graphs.Sizes(**sizes)).SerializeToString())
    told = inspect(path)
    assert (told.head, told.vocabulary_size, told.output_size) == want


def test_a_language_model_gives_its_own_vocabulary(tmp_path, foreign_graphs):
    rng = np.random.default_rng(0)
    model = None
    while model is None or "input_ids" not in {port.name for port in model.graph.input}:
        model, _ = foreign_graphs.draw_written(rng, 2, 3)
    path = tmp_path / "lm.onnx"
    path.write_bytes(model.SerializeToString())
    told = inspect(path)
    assert (told.head, told.vocabulary_size, told.output_size) == ("lm", 20, 20)
