"""Every row of a table is read, or the report says how many of how many were."""

import numpy as np
import pytest
from onnx import TensorProto, helper, numpy_helper

from lstmbench.check.foreign import tables
from lstmbench.check.foreign.opened import opened
from lstmbench.check.foreign.oracle import GraphOracle
from lstmbench.check.foreign.paired import pair
from lstmbench.check.foreign.questions import Question, questions
from lstmbench.check.foreign.tables import EVERY, every_row
from lstmbench.inspect import carried

V, E, H = 5_000, 3, 4
CELLS = ("plain", "lstm")


def graph(cell="lstm", ids=("B", "T"), *, off=None):
    """Rows of a table, through an LSTM with its states or a product; `off`: the row that is wrong."""
    rng = np.random.default_rng(5)
    table, *held = (rng.normal(size=size).astype("f4") / 2 for size in [(V, E), (1, 4 * H, E), (1, 4 * H, H), (E, 2)])
    if off is not None:
        table[off] += 0.5
    value = helper.make_tensor_value_info
    inputs, outputs = [value("ids", TensorProto.INT64, ids)], [value("y", TensorProto.FLOAT, None)]
    initializers = {"E": table, "O": held[2]}
    nodes = [helper.make_node("Gather", ["E", "ids"], ["x"])]
    if cell == "lstm":
        initializers = {"E": table, "W": held[0], "R": held[1], "one": np.array([1])}
        inputs += [value(name, TensorProto.FLOAT, [1, ids[0], H]) for name in ("h0", "c0")]
        outputs += [value(name, TensorProto.FLOAT, [1, ids[0], H]) for name in ("hn", "cn")]
        nodes += [
            helper.make_node("Transpose", ["x"], ["xt"], perm=[1, 0, 2]),
            helper.make_node("LSTM", ["xt", "W", "R", "", "", "h0", "c0"], ["Y", "hn", "cn"], hidden_size=H),
            helper.make_node("Squeeze", ["Y", "one"], ["y"]),
        ]
    else:
        nodes.append(helper.make_node("MatMul", ["x", "O"], ["y"]))
    constants = [numpy_helper.from_array(array, name) for name, array in initializers.items()]
    made = helper.make_graph(nodes, "g", inputs, outputs, constants)
    return helper.make_model(made, opset_imports=[helper.make_opsetid("", 21)], ir_version=10)


@pytest.fixture
def found(save, inline):
    """What is asked of a file, held to itself."""

    def found(model, name="foreign.onnx"):
        file = opened(save(model, name), evaluable=True)
        both = pair(file, GraphOracle(file, carried(file.path)))
        wholes = questions(both)
        return wholes, every_row(both, wholes)

    return found


def read(asked):
    return np.unique(np.concatenate([question.inputs["ids"].ravel() for question in asked]))


@pytest.mark.parametrize("cell", CELLS)
def test_a_row_that_no_other_question_reads_is_judged(check, save, found, cell):
    right = save(graph(cell), "right.onnx")
    wholes, _ = found(graph(cell))
    row = int(np.setdiff1d(np.arange(V), read(wholes))[-1])
    report = check(save(graph(cell, off=row), "wrong.onnx"), against=right)
    assert {one.asked for one in report.rows if one.reason} == {EVERY}
    report = check(right, against=right)
    assert report.passed
    assert EVERY in {one.asked for one in report.rows}
    assert EVERY not in report.not_asked


@pytest.mark.parametrize("cell", CELLS)
@pytest.mark.parametrize("ids", [("B", "T"), (3, "T"), ("B", 7), (50, 11), ("B", 1), ("N", "N")])
def test_all_rows_are_read_whatever_the_sizes_that_a_file_leaves_open(found, cell, ids):
    _, every = found(graph(cell, ids))
    assert every.not_asked == {}
    assert np.array_equal(read(every.questions), np.arange(V))


def test_states_are_zeros_so_that_a_row_shows(found):
    _, every = found(graph())
    assert not any(question.inputs[name].any() for question in every.questions for name in ("h0", "c0"))


def test_where_calls_are_too_small_the_report_says_how_many_were_read(check, save):
    report = check(save(graph(ids=(1, 4))))
    assert report.passed
    assert report.not_asked[EVERY] == f"ids reads {64 * 4:,} of 5,000"


@pytest.mark.parametrize(("limit", "most"), [("_NUMBERS", 1_000), ("_PRODUCTS", 1_000), ("_TOKENS", 20)])
def test_what_would_take_too_much_is_read_in_part_and_told(found, monkeypatch, limit, most):
    monkeypatch.setattr(tables, limit, most)
    _, every = found(graph("plain"))
    tokens = sum(question.inputs["ids"].size for question in every.questions)
    assert tokens <= most
    assert every.not_asked == {EVERY: f"ids reads {tokens:,} of 5,000"}


def test_a_table_that_says_to_be_enormous_takes_no_memory(found, monkeypatch):
    monkeypatch.setattr(tables, "_tables", lambda _: [("ids", 2**62)])
    monkeypatch.setattr(tables, "ask", lambda *asked: Question("", asked[-1], {}))
    _, every = found(graph("plain"))
    assert f"of {2**62:,}" in every.not_asked[EVERY]


def test_a_file_without_a_table_is_not_asked(check, save, foreign_graphs):
    report = check(save(foreign_graphs.lstm_file(foreign_graphs.Sizes())))
    assert EVERY not in {row.asked for row in report.rows} | set(report.not_asked)
