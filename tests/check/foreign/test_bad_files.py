"""A file that cannot be judged is one clear line, in bounded time and memory."""

import itertools
import os
import re

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from lstmbench.check.foreign import check_file, oracle
from lstmbench.errors import GraphError, LstmbenchError, RecordError
from lstmbench.evaluator import control
from lstmbench.evaluator.calls import demand_few_nodes

FLOAT, INT64 = TensorProto.FLOAT, TensorProto.INT64


def made(nodes, inputs=None, outputs=None, constants=()):
    inputs, outputs = inputs or {"x": (FLOAT, ["N", 2])}, outputs or {"y": (FLOAT, None)}
    graph = helper.make_graph(
        nodes,
        "g",
        [helper.make_tensor_value_info(name, *port) for name, port in inputs.items()],
        [helper.make_tensor_value_info(name, *port) for name, port in outputs.items()],
        [numpy_helper.from_array(array, name) for name, array in dict(constants).items()],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=9)


def said(check, path, **options):
    with pytest.raises(LstmbenchError) as caught:
        check(path, **options)
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 1000
    return str(caught.value)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "is empty"),
        (b"no protobuf at all, but text\n" * 20, "is no ONNX"),
        (b"\x08\x0a", "holds no graph"),
    ],
)
def test_what_is_no_model(check, tmp_path, content, words):
    path = tmp_path / "bad.onnx"
    path.write_bytes(content)
    assert words in said(check, path)
    assert words in said(check, path, against=path)


def test_what_is_no_file(check, tmp_path):
    assert "no file" in said(check, tmp_path / "none.onnx")
    assert "is a folder" in said(check, tmp_path)
    os.mkfifo(tmp_path / "pipe.onnx")
    assert "no ordinary file" in said(check, tmp_path / "pipe.onnx")


def test_a_file_that_was_cut_is_one_line_wherever_it_was_cut(check, save, foreign_graphs):
    data = foreign_graphs.lstm_file(foreign_graphs.Sizes()).SerializeToString()
    path = save(foreign_graphs.lstm_file(foreign_graphs.Sizes()))
    for part in (0.02, 0.3, 0.6, 0.9, 0.99):
        path.write_bytes(data[: int(part * len(data))])
        assert "bad.onnx" not in said(check, path)


def beside(tmp_path, *, location="w.bin"):
    model = made([helper.make_node("Add", ["x", "w"], ["y"])], constants={"w": np.ones(2, np.float32)})
    path = tmp_path / "beside.onnx"
    onnx.save(model, path, save_as_external_data=True, location="w.bin", size_threshold=0)
    if location != "w.bin":
        proto = onnx.load(path, load_external_data=False)
        next(e for e in proto.graph.initializer[0].external_data if e.key == "location").value = location
        path.write_bytes(proto.SerializeToString())
    return path


def test_external_data_beside_the_file_is_part_of_it(check, tmp_path):
    assert check(beside(tmp_path), "onnxruntime-cpu", "onnx-reference").passed


def test_external_data_that_is_missing_short_or_elsewhere(check, tmp_path):
    path = beside(tmp_path)
    (tmp_path / "w.bin").write_bytes(b"\0")
    assert "keeps tensors in 'w.bin': too short" in said(check, path)
    (tmp_path / "w.bin").unlink()
    assert "keeps tensors in 'w.bin': missing" in said(check, path)
    (tmp_path.parent / "elsewhere.bin").write_bytes(b"\0" * 8)
    for location in ("../elsewhere.bin", str(tmp_path.parent / "elsewhere.bin")):
        assert "it lies outside the model's folder: not looked at" in said(check, beside(tmp_path, location=location))
    (tmp_path / "link.bin").symlink_to(tmp_path.parent / "elsewhere.bin")
    assert "it lies outside" in said(check, beside(tmp_path, location="link.bin"))


def test_an_operator_that_no_standard_has(check, save):
    node = helper.make_node("Frobnicate", ["x"], ["y"], name="n")
    assert "No Op registered for Frobnicate" in said(check, save(made([node])))
    other = made([helper.make_node("Frobnicate", ["x"], ["y"], name="n", domain="their.own")])
    other.opset_import.append(helper.make_opsetid("their.own", 1))
    assert "node 'n' (Frobnicate) is of domain 'their.own', not of the standard" in said(check, save(other))


@pytest.mark.parametrize(
    ("inputs", "outputs", "words"),
    [
        ({"x": (TensorProto.STRING, ["N"])}, {"y": (TensorProto.STRING, None)}, "its input 'x' is"),
        ({"x": (FLOAT, None)}, None, "its input 'x' declares no shape, so none can be drawn"),
        ({"x": (FLOAT, [0, 2])}, None, "its input x float32 (0, 2) holds nothing"),
        ({"x": (FLOAT, [2**40, 2**20])}, None, "take more than 256 MiB"),
        ({"x": (FLOAT, [1] * 1_000_000)}, None, "its input x has 1,000,000 dimensions: 32 are the most"),
        ({"x": (FLOAT, [-5, 4])}, None, "its input x float32 (-5, 4) holds nothing"),
        ({"x": (INT64, ["N"])}, {"y": (INT64, None)}, "its input x int64 (N) cannot be drawn"),
        ({"x": (TensorProto.FLOAT16, ["N"])}, {"y": (TensorProto.FLOAT16, None)}, "it holds float16: only files in"),
        (
            {"x": (TensorProto.DOUBLE, ["N"])},
            {"y": (TensorProto.DOUBLE, None)},
            "its output 'y' is float64, as the",
        ),
    ],
)
def test_ports_that_cannot_be_judged(check, save, inputs, outputs, words):
    path = save(made([helper.make_node("Identity", ["x"], ["y"])], inputs, outputs))
    assert words in said(check, path)


def test_a_table_without_rows_an_output_of_nothing_and_a_tensor_that_lies(check, save):
    nodes = [helper.make_node("Gather", ["t", "x"], ["y"])]
    no_rows = made(nodes, {"x": (INT64, ["B"])}, constants={"t": np.zeros((0, 3), np.float32)})
    assert "its input x int64 (B) cannot be drawn" in said(check, save(no_rows))
    nodes = [helper.make_node("Slice", ["x", "i", "i"], ["y"])]
    nothing = made(nodes, constants={"i": np.zeros(1, np.int64)})
    assert "its output 'y' holds nothing" in said(check, save(nothing))
    lies = made([helper.make_node("Mul", ["x", "w"], ["y"])], constants={"w": np.float32(2)})
    lies.graph.initializer[0].raw_data += b"more"
    assert "'w'" in said(check, save(lies)) or "tensor w" in said(check, save(lies))


@pytest.mark.parametrize("inputs", [{}, {"x": (FLOAT, ["N"])}], ids=["no inputs", "an input that reaches nothing"])
def test_a_file_that_is_folded_to_constants_is_judged(check, save, inputs):
    """No node of it is left to run when it is loaded: no provider is promised, and none is missed."""

    def folded(by):
        node = helper.make_node("Mul", ["a", "by"], ["y"])
        model = made([node], {"x": (FLOAT, ["N"])}, None, {"a": np.float32([1, 2]), "by": np.float32(by)})
        if not inputs:
            del model.graph.input[:]
        return model

    report = check(save(folded(3)), "onnxruntime-cpu", "onnx-reference")
    assert report.passed, report.failures()
    assert {row.engine.placement for row in report.rows} == {()}
    assert ("no inputs" in {row.sizes for row in report.rows}) == (not inputs)
    assert not check(save(folded(3.001)), against=save(folded(3), "right.onnx")).passed


@pytest.mark.parametrize("against", [False, True])
def test_a_graph_without_outputs_is_said_to_have_none(check, save, against):
    path = save(made([helper.make_node("Add", ["x", "x"], ["y"])], outputs={"y": (FLOAT, None)}))
    model = onnx.load(path)
    del model.graph.output[:]
    path = save(model)
    words = said(check, path, **({"against": path} if against else {}))
    assert words == f"{path}: it has no output, so there is nothing to compare"


def test_so_many_inputs_that_nobody_wrote_them(check, save):
    many = made([helper.make_node("Identity", ["x0"], ["y"])], {f"x{n}": (FLOAT, ["N"]) for n in range(2_000)})
    assert "it has 2,001 inputs and outputs: at most 2,000 are judged" in said(check, save(many))


def in_a_function(location):
    """A function of the file that holds its weights beside it."""
    tensor = onnx.TensorProto(name="w", data_type=FLOAT, dims=[2, 3], data_location=onnx.TensorProto.EXTERNAL)
    for key, value in {"location": location, "offset": "0", "length": "24"}.items():
        tensor.external_data.add(key=key, value=value)
    held = helper.make_node("Constant", [], ["w"])
    held.attribute.append(helper.make_attribute("value", tensor))
    imports = [helper.make_opsetid("", 18)]
    body = [held, helper.make_node("MatMul", ["a", "w"], ["b"])]
    model = made([helper.make_node("Project", ["x"], ["y"], domain="their.own")])
    model.functions.append(helper.make_function("their.own", "Project", ["a"], ["b"], body, imports))
    model.opset_import.append(helper.make_opsetid("their.own", 1))
    return model


def test_a_function_with_external_data_is_judged_and_never_looked_for_elsewhere(check, save, tmp_path):
    (tmp_path / "w.bin").write_bytes(np.arange(6, dtype=np.float32).tobytes())
    report = check(save(in_a_function("w.bin")), "onnxruntime-cpu", "onnx-reference")
    assert report.passed, report.failures()
    assert "missing" in said(check, save(in_a_function("none.bin")))
    (tmp_path.parent / "elsewhere.bin").write_bytes(b"\0" * 24)
    assert "it lies outside the model's folder: not looked at" in said(check, save(in_a_function("../elsewhere.bin")))


def test_a_function_in_a_lower_precision_is_refused_as_a_graph_is(check, save):
    model = made([helper.make_node("Half", ["x"], ["y"], domain="their.own")])
    held = numpy_helper.from_array(np.float16(1), "w")
    body = [helper.make_node("Constant", [], ["w"], value=held), helper.make_node("Identity", ["a"], ["b"])]
    imports = [helper.make_opsetid("", 18)]
    model.functions.append(helper.make_function("their.own", "Half", ["a"], ["b"], body, imports))
    model.opset_import.append(helper.make_opsetid("their.own", 1))
    assert "it holds float16: only files in float32" in said(check, save(model))


@pytest.mark.parametrize(
    "nodes",
    [
        [helper.make_node("ReduceSum", ["x"], ["y"], keepdims=0)],
        [helper.make_node("Erf", ["x"], ["y"])],
        [helper.make_node("ReduceMean", ["x"], ["m"], keepdims=0), helper.make_node("Sub", ["x", "m"], ["y"])],
    ],
    ids=["a single number", "a function", "a difference"],
)
def test_what_has_no_product_rounds_too(check, save, nodes):
    assert check(save(made(nodes)), "onnxruntime-cpu").passed
    scaled = [*nodes[:-1], helper.make_node(nodes[-1].op_type, nodes[-1].input, ["z"])]
    scaled[-1].attribute.extend(nodes[-1].attribute)
    wrong = made([*scaled, helper.make_node("Mul", ["z", "w"], ["y"])], constants={"w": np.float32(1.0001)})
    right = save(made(nodes), "right.onnx")
    assert not check(save(wrong), "onnxruntime-cpu", against=right).passed


def test_names_of_sizes_that_must_be_equal_are_taken_as_equal(check, save):
    inputs = {"x": (FLOAT, ["batch_of_x", 2]), "z": (FLOAT, [2, "batch_of_z"])}
    nodes = [helper.make_node("Transpose", ["z"], ["t"]), helper.make_node("Concat", ["x", "t"], ["y"], axis=1)]
    report = check(save(made(nodes, inputs)), "onnxruntime-cpu", "onnx-reference")
    assert report.passed
    assert len({row.sizes for row in report.rows}) == 5


def test_an_index_that_rounding_decides_is_said_and_not_judged(check, save):
    half = np.random.default_rng(0).standard_normal((300, 1)).astype(np.float32)
    inputs, outputs = {"x": (FLOAT, ["N", 300])}, {"y": (INT64, None)}
    always = made(
        [
            helper.make_node("Mul", ["x", "nothing"], ["even"]),
            helper.make_node("Add", ["even", "one"], ["ones"]),
            helper.make_node("MatMul", ["ones", "w"], ["p"]),
            helper.make_node("ArgMax", ["p"], ["y"], axis=1),
        ],
        inputs,
        outputs,
        {"w": np.concatenate([half, half[::-1]], 1), "nothing": np.float32(0), "one": np.float32(1)},
    )
    assert "rounding decides y at all sizes, so nothing can be said of it" in said(check, save(always))


def test_names_that_no_line_can_hold(check, save):
    inputs = {"a\nb": (FLOAT, ["N", 2]), "c\x1b[31m": (INT64, ["N\n"])}
    model = made([helper.make_node("Identity", ["a\nb"], ["y"])], inputs)
    assert r"its input 'c\x1b[31m' int64 ('N\n') cannot be drawn" in said(check, save(model))
    nodes = [helper.make_node("Gather", ["a\nb", "far"], ["y"], axis=1)]
    one = made(nodes, {"a\nb": (FLOAT, ["N", 2])}, constants={"far": np.array(9)})
    assert r"it cannot be evaluated at 'a\nb' (64, 2)" in said(check, save(one))


# --- in processes: what would take all memory, or for ever --------------------------------------------------------


def alone(path):
    return check_file(path, ["onnxruntime-cpu"], progress=lambda _: None)


def test_a_graph_that_wants_more_memory_than_there_is(save):
    many = {"shape": np.array([2**40])}
    nodes = [helper.make_node("ConstantOfShape", ["shape"], ["a"]), helper.make_node("ReduceSum", ["a"], ["b"])]
    path = save(made([*nodes, helper.make_node("Add", ["x", "b"], ["y"])], constants=many))
    assert "it cannot be evaluated" in said(alone, path)


def test_a_graph_that_wants_more_than_evaluating_may_take_though_the_machine_has_it(save):
    """6 GB of float64: half of a machine of 12; where it is there, the array is refused when it is made."""
    nodes = [helper.make_node("ReduceMax", ["x"], ["largest"], keepdims=0)]
    nodes += [helper.make_node("Expand", ["largest", "shape"], ["a"]), helper.make_node("ReduceMax", ["a"], ["b"])]
    path = save(made([*nodes, helper.make_node("Add", ["x", "b"], ["y"])], constants={"shape": np.array([75 * 10**7])}))
    assert "node 'a' (Expand): MemoryError: Unable to allocate 5.59 GiB" in said(alone, path)


def test_an_opset_that_nobody_knows(check, save):
    model = made([helper.make_node("Identity", ["x"], ["y"])])
    model.opset_import[0].version = 999
    assert re.search(r"its opset is 999, and onnx [\d.]+ knows none after \d+", said(check, save(model)))


def loop(count, *, ends="on", names=("count", "")):
    """A Loop that does nothing so often, while what its body calls `on_` is true: as it was, or `no`."""
    port = helper.make_tensor_value_info
    ports = [port("n", INT64, []), port("on", TensorProto.BOOL, []), port("s", FLOAT, None)]
    nodes = [helper.make_node("Identity", [ends], ["on_"]), helper.make_node("Identity", ["s"], ["s_"])]
    body = helper.make_graph(nodes, "b", ports, [port("on_", TensorProto.BOOL, []), port("s_", FLOAT, None)])
    node = helper.make_node("Loop", [*names, "x"], ["y"], name="round", body=body)
    return made([node], constants={"count": np.array(count), "no": np.array(False), "yes": np.array(True)})


@pytest.mark.parametrize("names", [("count", ""), ("count", "yes")])
def test_a_loop_that_the_file_tells_to_go_on_for_ever_is_refused_at_once(check, save, names):
    path = save(loop(2**62, names=names))
    want = "node 'round' (Loop) is told to take 4,611,686,018,427,387,904 steps, whatever it is given"
    assert want in said(check, path)
    assert want in said(check, path, against=save(made([helper.make_node("Identity", ["x"], ["y"])]), "right.onnx"))


def test_a_loop_that_may_end_is_run(check, save):
    """As `while` is written: a count that is no limit, and a condition that the body computes."""
    assert check(save(loop(2**62, ends="no"))).passed
    assert check(save(loop(7))).passed


def test_a_loop_that_does_not_end_is_given_up_by_its_name(check, save, monkeypatch):
    monkeypatch.setattr(control, "MOST_S", 0.2)
    words = said(check, save(loop(1, names=("", ""))))
    assert re.search(r"node 'round' \(Loop\) took [\d,]+ steps in 0\.2 s and is not at its end", words)


def test_an_evaluation_that_says_nothing_is_ended(save, monkeypatch):
    monkeypatch.setattr(oracle, "_LIMIT_S", 4.0)
    path = save(loop(1, names=("", "")))
    assert "it takes too long or too much memory: the evaluation" in said(alone, path)


def test_no_runtime_takes_more_than_half_of_the_memory(plugins, save, foreign_graphs):
    path = save(foreign_graphs.lstm_file(foreign_graphs.Sizes()))
    (row, *_) = check_file(path, ["planted_graphs:TakesAllMemory"], progress=lambda _: None).failures()
    assert "MemoryError" in row.reason


def test_gather_out_of_range_and_shapes_that_do_not_fit(check, save):
    nodes = [helper.make_node("Gather", ["x", "far"], ["y"], axis=1)]
    assert "it cannot be evaluated at x (" in said(check, save(made(nodes, constants={"far": np.array(9)})))


def test_a_tensor_whose_header_promises_what_is_not_there(check, save):
    model = made([helper.make_node("Add", ["x", "w"], ["y"])], constants={"w": np.ones(2, np.float32)})
    model.graph.initializer[0].dims[:] = [2**40, 2**10]
    path = save(model)
    with pytest.raises((RecordError, GraphError)) as caught:
        check(path)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("changes", [{"offset": "-8"}, {"offset": "many"}, {"length": "-1"}])
def test_external_data_at_no_place_is_told_by_its_tensor(check, tmp_path, changes):
    path = beside(tmp_path)
    proto = onnx.load(path, load_external_data=False)
    for entry in proto.graph.initializer[0].external_data:
        entry.value = changes.get(entry.key, entry.value)
    path.write_bytes(proto.SerializeToString())
    ((key, value),) = changes.items()
    assert f"tensor 'w' lies in another file with {key} {value!r}" in said(check, path)


def test_external_data_of_a_constant_at_no_place_is_told_wherever_it_stands(check, save):
    tensor = TensorProto(name="w", data_type=FLOAT, dims=[2], data_location=TensorProto.EXTERNAL)
    for key, value in (("location", "w.bin"), ("offset", "-8")):
        tensor.external_data.add(key=key, value=value)
    nodes = [helper.make_node("Constant", [], ["c"], value=tensor), helper.make_node("Add", ["x", "c"], ["y"])]
    body = helper.make_graph(nodes, "then", [], [helper.make_tensor_value_info("y", FLOAT, None)])
    branches = helper.make_node("If", ["b"], ["y"], then_branch=body, else_branch=body)
    function = made([helper.make_node("F", ["x"], ["y"], domain="ours")])
    function.functions.append(helper.make_function("ours", "F", ["x"], ["y"], nodes, [helper.make_opsetid("", 18)]))
    for model in (made(nodes), made([branches], constants={"b": np.array(True)}), function):
        assert "tensor 'w' lies in another file with offset '-8'" in said(check, save(model))


def test_external_data_of_no_type_is_told_by_its_tensor(check, tmp_path):
    path = beside(tmp_path)
    proto = onnx.load(path, load_external_data=False)
    proto.graph.initializer[0].data_type = TensorProto.UNDEFINED
    path.write_bytes(proto.SerializeToString())
    assert "keeps tensors in 'w.bin': 'w' in it has no type" in said(check, path)


def calling(count, *, times=2, last=None):
    """Functions F0, F1, …, each of which calls the next so often; the last one is Neg, or calls another."""
    versions = [helper.make_opsetid("", 18), helper.make_opsetid("d", 1)]

    def body(n):
        if n == count - 1:
            return [helper.make_node(last or "Neg", ["x"], ["y"], domain="d" if last else "")]
        names = ["x", *(f"a{m}" for m in range(1, times)), "y"]
        return [helper.make_node(f"F{n + 1}", [given], [made], domain="d") for given, made in itertools.pairwise(names)]

    model = made([helper.make_node("F0", ["x"], ["y"], domain="d")])
    model.opset_import.append(versions[1])
    model.functions.extend(helper.make_function("d", f"F{n}", ["x"], ["y"], body(n), versions) for n in range(count))
    return model


def test_functions_that_double_at_every_call_are_not_written_out(check, save):
    words = "its functions call one another so often that they are more than 262,144 nodes written out"
    assert words in said(check, save(calling(40)))
    assert words in said(check, save(calling(40)), against=save(calling(40)))
    assert check(save(calling(5)), "onnxruntime-cpu").passed


def test_functions_that_call_themselves_are_refused(check, save):
    assert "must not be recursive" in said(check, save(calling(3, last="F1")))
    with pytest.raises(GraphError, match="calls itself"):
        demand_few_nodes(calling(3, last="F1"))
