"""What cannot be read is one line; what lies outside the file's folder is never looked at; what is missing is told."""

import os

import numpy as np
import onnx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from onnx import TensorProto, helper

from lstmbench.errors import RecordError
from lstmbench.inspect import flow, inspect, tensors
from lstmbench.onnxfile import external, opening

P = np.linspace(-1, 1, 12, dtype=np.float32).reshape(1, 12)


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "is empty"),
        (b"no protobuf at all, but text\n" * 20, "is no ONNX"),
        (b"\x08\x0a", "holds no graph"),
        (b"\x00" * 64, "is no ONNX"),
    ],
)
def test_what_is_no_model_is_one_line(tmp_path, content, says):
    path = tmp_path / "bad.onnx"
    path.write_bytes(content)
    with pytest.raises(RecordError, match=says) as caught:
        inspect(path)
    assert "\n" not in str(caught.value)


def test_a_missing_file_a_folder_and_a_pipe_are_named(tmp_path, lstm):
    with pytest.raises(RecordError, match="no file"):
        inspect(tmp_path / "none.onnx")
    with pytest.raises(RecordError, match=r"holds no \.onnx file"):
        inspect(tmp_path)
    lstm()
    with pytest.raises(RecordError, match=r"is a folder: name the file \(one of foreign\.onnx\)"):
        inspect(tmp_path)
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(RecordError, match="no ordinary file"):
        inspect(tmp_path / "pipe")


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(cut=st.floats(0, 0.999), flips=st.lists(st.tuples(st.floats(0, 0.999), st.integers(1, 255)), max_size=6))
def test_a_file_that_was_cut_or_damaged_is_read_or_refused_in_one_line(ours, cut, flips):
    path = ours("scan", "full")
    data = bytearray(path.read_bytes())
    for at, bits in flips:
        data[int(at * len(data))] ^= bits
    path.write_bytes(data if flips else data[: int(cut * len(data))])
    try:
        inspect(path)
    except RecordError as error:
        assert "\n" not in str(error)  # noqa: PT017 (either answer is right)


@pytest.mark.parametrize("edit", ["no inputs", "no outputs", "no body", "swapped"])
@pytest.mark.parametrize("operator", ["LSTM", "Scan", "Loop", "Mul", "Add", "Gather", "Reshape", "Transpose", "Slice"])
def test_a_node_that_lacks_what_it_needs_is_no_defect(tmp_path, operator, edit):
    inputs = [] if edit == "no inputs" else ["y", "x"] if edit == "swapped" else ["x"]
    node = helper.make_node(operator, inputs, [] if edit == "no outputs" else ["y"])
    value = helper.make_tensor_value_info
    graph = helper.make_graph([node], "g", [value("x", TensorProto.FLOAT, [2])], [value("y", TensorProto.FLOAT, None)])
    path = tmp_path / "odd.onnx"
    path.write_bytes(helper.make_model(graph).SerializeToString())
    try:
        inspect(path)
    except RecordError as error:
        assert "\n" not in str(error)  # noqa: PT017


def put_outside(location, length=None):
    """Say that P lies in another file."""

    def edit(proto):
        (tensor,) = (tensor for tensor in proto.graph.initializer if tensor.name == "P")
        tensor.ClearField("raw_data")
        tensor.data_location = TensorProto.EXTERNAL
        for key, value in {"location": location, "length": length}.items():
            if value is not None:
                tensor.external_data.add(key=key, value=str(value))

    return edit


def test_external_data_that_is_there_decides_the_cell(tmp_path, lstm, change):
    path = change(lstm(P), put_outside("p.bin"))
    (tmp_path / "p.bin").write_bytes(P.tobytes())
    told = inspect(path)
    assert (told.cell, told.external[0].size_bytes, told.external[0].problem) == ("diagonal", 48, "")
    (tmp_path / "p.bin").write_bytes(bytes(48))
    assert inspect(path).cell == "none"


def test_external_data_that_is_missing_is_told_and_the_rest_still_is(lstm, change):
    told = inspect(change(lstm(P), put_outside("p.bin")))
    assert (told.external[0].file, told.external[0].problem) == ("p.bin", "missing")
    assert (told.cell, told.recurrences[0].why) == ("diagonal", "input P, whose values are not in the file")
    assert "external data 'p.bin': missing" in told.warnings


def test_external_data_that_is_too_short_is_told(tmp_path, lstm, change):
    (tmp_path / "p.bin").write_bytes(bytes(47))
    told = inspect(change(lstm(P), put_outside("p.bin")))
    assert told.external[0].problem == "too short: 48 bytes are needed"
    assert "not in the file" in told.recurrences[0].why


@pytest.mark.parametrize("location", ["../secret.bin", "{root}/secret.bin", "link.bin", "a/../../secret.bin"])
def test_nothing_outside_the_folder_is_ever_read(tmp_path, lstm, change, monkeypatch, location):
    (tmp_path / "secret.bin").write_bytes(bytes(48))  # were it read, P would be all zero
    folder = tmp_path / "model"
    (folder / "a").mkdir(parents=True)
    (folder / "link.bin").symlink_to(tmp_path / "secret.bin")
    path = change(lstm(P), put_outside(location.format(root=tmp_path))).rename(folder / "m.onnx")
    told = inspect(path)
    assert told.external[0].problem.startswith("it lies outside the model's folder")
    assert told.external[0].size_bytes is None
    assert told.cell == "diagonal"
    monkeypatch.setattr(external, "inside", lambda folder, name: folder / name)  # the guard taken away
    assert inspect(path).cell == "none"


@pytest.mark.parametrize("location", ["", "x" * 5000, "a\0b", "."])
def test_a_location_that_is_no_file_name_is_a_problem_and_no_defect(lstm, change, location):
    assert inspect(change(lstm(P), put_outside(location))).external[0].problem


def test_a_tensor_whose_header_promises_more_than_there_is_costs_nothing(lstm, change):
    def swell(proto):
        for tensor in proto.graph.initializer:
            tensor.dims[:] = [1, 2**30, 2**30]

    assert inspect(change(lstm(P), swell)).recurrences[0].why == "input P, whose values are not in the file"


def test_ten_thousand_moves_are_followed(foreign):
    nodes = [onnx.helper.make_node("Identity", [f"v{n}"], [f"v{n + 1}"]) for n in range(10_000)]
    nodes.append(onnx.helper.make_node("LSTM", ["x", "W", "R", "", "", "v10000"], ["y", "hn"], hidden_size=4))
    held = {"W": np.ones((1, 16, 3), np.float32), "R": np.ones((1, 16, 4), np.float32)}
    path = foreign(nodes, {"x": ("T", "B", 3), "v0": (1, "B", 4)}, {"hn": (1, "B", 4)}, held)
    assert inspect(path).recurrences[0].states[0].input == "v0"


def test_a_value_that_nothing_makes_is_damage_told_once(lstm, change, capfd, caplog):
    def cut(proto):
        proto.graph.node[0].input[1] = "gone"

    with pytest.raises(RecordError, match="node 'rec' takes 'gone', which nothing makes"):
        inspect(change(lstm(), cut))
    assert capfd.readouterr().err == ""
    assert not caplog.records


def test_a_name_that_is_no_text_is_damage(lstm):
    path = lstm()
    path.write_bytes(path.read_bytes().replace(b"rec", b"r\xffc"))
    with pytest.raises(RecordError, match="no UTF-8"):
        inspect(path)


@pytest.mark.parametrize("where", ["initializer", "attribute"])
def test_a_type_that_does_not_exist_is_damage(lstm, change, where):
    def edit(proto):
        proto.graph.initializer[0].data_type = 117
        if where == "attribute":
            tensor = proto.graph.initializer.pop(0)
            name, tensor.name = tensor.name, ""
            proto.graph.node.insert(0, helper.make_node("Constant", [], [name], value=tensor))

    with pytest.raises(RecordError, match="117 is not a valid DataType"):
        inspect(change(lstm(), edit))


def nodes_after(path, nodes):
    """Put nodes behind the others."""
    proto = onnx.load(path)
    proto.graph.node.extend(nodes)
    path.write_bytes(proto.SerializeToString())
    return path


def test_a_graph_of_a_million_nodes_is_refused_before_it_is_taken_apart(lstm, monkeypatch):
    monkeypatch.setattr(opening, "_MOST_PARTS", 1000)  # the real limit takes seconds to reach
    body = helper.make_graph([helper.make_node("Identity", ["x"], [f"i{n}"]) for n in range(995)], "b", [], [])
    with pytest.raises(RecordError, match=r"holds 1,\d+ nodes and tensors: at most 1,000"):
        inspect(nodes_after(lstm(), [helper.make_node("If", ["x"], [], then_branch=body)]))


def test_a_graph_in_which_everything_leads_to_everything_is_given_up(lstm, monkeypatch):
    path = lstm()
    (node,) = onnx.load(path).graph.node
    row = [helper.make_node("Identity", [f"q{n}" if n else "x"], [f"q{n + 1}"]) for n in range(60)]
    for n in range(60):
        again = onnx.NodeProto()
        again.CopyFrom(node)
        again.input[0] = "q60"
        again.output[:] = [f"{name}{n}" for name in again.output]
        row.append(again)
    nodes_after(path, row)
    inspect(path)
    monkeypatch.setattr(flow, "_MOST_FOLLOWED", 2000)
    with pytest.raises(RecordError, match="too tangled to be followed: 2,000 moves"):
        inspect(path)


def gated(c):
    """One step that is written out, from `c` on."""
    make = helper.make_node
    return [
        make("Sigmoid", ["x"], ["s"]),
        make("Tanh", ["x"], ["g"]),
        make("Mul", ["s", c], ["kept"]),
        make("Mul", ["s", "g"], ["added"]),
        make("Add", ["kept", "added"], ["c1"]),
        make("Tanh", ["c1"], ["open"]),
        make("Mul", ["s", "open"], ["h1"]),
    ]


@pytest.mark.parametrize("operator", ["Identity", "Concat"])
def test_values_that_go_round_are_damage_and_no_endless_walk(lstm, operator):
    axis = {"axis": 0} if operator == "Concat" else {}
    circle = [helper.make_node(operator, [a], [b], **axis) for a, b in (("a", "b"), ("b", "a"))]
    with pytest.raises(RecordError, match="takes 'a', which is made after it"):
        inspect(nodes_after(lstm(), [*circle, *gated("a")]))


def test_a_value_joined_with_itself_again_and_again_is_not_taken_apart(lstm):
    """Sixty times: 2^60 parts."""
    row = [helper.make_node("Concat", [f"p{n}" if n else "x"] * 2, [f"p{n + 1}"], axis=0) for n in range(60)]
    matrix = helper.make_node("MatMul", ["p60", "W"], ["m"])
    step = gated("x")
    step[0].input[0] = step[1].input[0] = "m"
    told = inspect(nodes_after(lstm(), [*row, matrix, *step]))
    assert [row.operator for row in told.recurrences] == ["LSTM", "steps"]


def test_no_more_of_external_data_is_read_than_decides_the_cell(tmp_path, lstm, change, monkeypatch):
    (tmp_path / "p.bin").write_bytes(bytes(48))
    path = change(lstm(P), put_outside("p.bin"))
    assert inspect(path).cell == "none"
    monkeypatch.setattr(tensors, "_READ_BYTES", 47)
    assert inspect(path).recurrences[0].why == "input P, whose values are not in the file"


def test_a_hundred_gigabytes_beside_a_graph_are_not_read(tmp_path, lstm, change):
    """Their digest neither, and P of such a size is not looked for."""
    (tmp_path / "p.bin").touch()
    os.truncate(tmp_path / "p.bin", 100 * 2**30)

    def edit(proto):
        put_outside("p.bin")(proto)
        (tensor,) = (tensor for tensor in proto.graph.initializer if tensor.name == "P")
        tensor.dims[:] = [1, 25 * 2**30]
        proto.metadata_props.add(key="lstmbench.data_sha256", value="0" * 64)

    told = inspect(change(lstm(P), edit))
    assert told.external[0].size_bytes == 100 * 2**30
    assert any("p.bin is too large to tell" in line for line in told.disagreements)


def test_a_shape_of_a_million_dimensions_is_no_page(nodes_of_a_million):
    with pytest.raises(RecordError, match=r"'x' has 1,000,000 dimensions: 64 are the most"):
        inspect(nodes_of_a_million)


@pytest.fixture
def nodes_of_a_million(tmp_path):
    ports = [helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, [1] * 1_000_000) for name in "xy"]
    graph = helper.make_graph([helper.make_node("Identity", ["x"], ["y"])], "g", ports[:1], ports[1:])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=9)
    (tmp_path / "wide.onnx").write_bytes(model.SerializeToString())
    return tmp_path / "wide.onnx"
