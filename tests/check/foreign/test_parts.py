"""Sizes, ranges and names: what a graph is run at, what it is given, and what is what."""

from pathlib import Path

import numpy as np
import onnx_ir as ir
import pytest
from onnx import TensorProto, helper, numpy_helper

from lstmbench.check.foreign import sizes
from lstmbench.check.foreign.draws import Draws, draws
from lstmbench.check.foreign.match import match
from lstmbench.check.foreign.outcome import Engine, ForeignReport, ForeignRow, unjudged
from lstmbench.check.foreign.ranges import Use, use
from lstmbench.errors import GraphError
from lstmbench.onnxfile.ports import Port

F32, I64, I32, BOOL = map(np.dtype, ("float32", "int64", "int32", "bool"))
X = Port("x", F32, ("B", "T", 3))
IDS = Port("ids", I64, ("B", "T"))
LENS = Port("lens", I32, ("B",))
H0 = Port("h0", F32, (1, "B", 4))


# --- sizes --------------------------------------------------------------------------------------------------------


def test_two_open_sizes_take_pairs_both_ways_round_with_1_among_them():
    plans = sizes.plan(["B", "T"], {})
    pairs = [(plan["B"], plan["T"]) for plan in plans]
    assert pairs == [(1, 1), (3, 2), (2, 3), (2, 16), (16, 2), (5, 33), (33, 5), (1, 64), (64, 1)]


def test_one_open_size_takes_several_and_none_takes_one_run():
    assert [plan["T"] for plan in sizes.plan(["T"], {"B": 2})] == [1, 2, 3, 5, 16, 33, 64]
    assert sizes.plan([], {"T": 4}) == ({"T": 4},)


def test_dims_without_a_name_are_equal():
    port = Port("x", F32, (None, None, 3))
    names = sizes.open_names([port], {})
    assert len(names) == 1
    assert all(shape[0] == shape[1] for shape in (sizes.shape_of(port, plan) for plan in sizes.plan(names, {})))


def test_what_the_file_holds_fixed_is_fixed():
    assert sizes.fix([X], [Port("y", F32, ("N", 7, 3))]) == {"T": 7}
    with pytest.raises(GraphError, match="hold B at 2 and at 3"):
        sizes.fix([X, H0], [Port("a", F32, (2, "T", 3)), Port("b", F32, (1, 3, 4))])


# --- ranges -------------------------------------------------------------------------------------------------------


def graph(nodes, constants=None, kinds=None):
    """Inputs `ids`, a table (7, 4) and another of 5 rows."""
    held = {"table": np.zeros((7, 4), np.float32), "small": np.zeros((4, 5), np.float32)} | (constants or {})
    made = helper.make_graph(
        nodes,
        "g",
        [helper.make_tensor_value_info(name, TensorProto.INT64, None) for name in kinds or ("ids",)],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, None)],
        [numpy_helper.from_array(array, name) for name, array in held.items()],
    )
    return ir.from_proto(helper.make_model(made, opset_imports=[helper.make_opsetid("", 18)]))


def gather(data="table", index="ids", out="y", **axis):
    return helper.make_node("Gather", [data, index], [out], **axis)


def test_ids_are_rows_of_the_smallest_table_that_they_pick_from():
    assert use(graph([gather()]), "ids") == Use(rows=7)
    assert use(graph([gather(out="a"), gather("small", axis=-1)]), "ids").rows == 5
    assert use(graph([gather("ids", "table")]), "ids").rows is None, "it is what is picked from"


def test_ids_are_followed_through_nodes_that_move_them():
    nodes = [
        helper.make_node("Cast", ["ids"], ["a"], to=TensorProto.INT32),
        helper.make_node("Transpose", ["a"], ["b"]),
        helper.make_node("Concat", ["b", "b"], ["c"], axis=0),
        gather(index="c"),
    ]
    assert use(graph(nodes), "ids").rows == 7


def test_ids_are_not_followed_through_arithmetic():
    assert (
        use(graph([helper.make_node("Add", ["ids", "one"], ["a"]), gather(index="a")], {"one": np.array(1)}), "ids")
        == Use()
    )


@pytest.mark.parametrize("operator", ["Scan", "Loop"])
def test_ids_are_followed_into_bodies(operator):
    port, whole, yes = helper.make_tensor_value_info, TensorProto.INT64, TensorProto.BOOL
    ended = port("s_", TensorProto.FLOAT, None)
    if operator == "Scan":
        inputs, outputs = [port("s", TensorProto.FLOAT, None), port("t", whole, None)], [ended]
        given, attributes = ["s0", "ids"], {"num_scan_inputs": 1}
    else:
        inputs = [port("n", whole, []), port("on", yes, []), port("t", whole, None)]
        outputs = [port("on_", yes, []), port("t_", whole, None), ended]
        given, attributes = ["", "", "ids"], {}
    body = helper.make_graph([gather(index="t", out="s_")], "b", inputs, outputs)
    node = helper.make_node(operator, given, ["y"], body=body, **attributes)
    assert use(graph([node], {"s0": np.zeros(4, np.float32)}), "ids").rows == 7


def test_a_table_that_only_a_body_uses_bounds_what_it_sees_from_outside():
    yes = helper.make_graph([gather(out="a")], "b", [], [helper.make_tensor_value_info("a", TensorProto.FLOAT, None)])
    no = helper.make_graph([gather(out="b")], "c", [], [helper.make_tensor_value_info("b", TensorProto.FLOAT, None)])
    node = helper.make_node("If", ["yes"], ["y"], then_branch=yes, else_branch=no)
    assert use(graph([node], {"yes": np.array(True)}), "ids").rows == 7


def test_lengths_are_known_by_what_takes_them_or_by_their_name():
    lstm = helper.make_node("LSTM", ["x", "w", "r", "", "ids"], ["y"], hidden_size=1)
    assert use(graph([lstm], kinds=("ids", "x", "w", "r")), "ids").lengths
    less = helper.make_node("Cast", ["lengths"], ["y"], to=TensorProto.FLOAT)
    assert use(graph([less], kinds=("lengths",)), "lengths").lengths
    assert not use(graph([helper.make_node("Cast", ["ids"], ["y"], to=TensorProto.FLOAT)]), "ids").lengths


# --- draws --------------------------------------------------------------------------------------------------------


def test_each_input_is_drawn_as_what_it_is():
    flag = Port("flag", BOOL, ("B",))
    known = {"ids": Use(rows=3), "lens": Use(lengths=True), "flag": Use()}
    drawn = draws((IDS, LENS, flag), known).draw({"B": 40, "T": 9})
    assert drawn["ids"].shape == (40, 9)
    assert set(drawn["ids"].flat) == {0, 1, 2}
    assert (drawn["lens"].min(), drawn["lens"].max(), drawn["lens"].dtype) == (1, 9, I32)
    assert set(drawn["flag"]) == {False, True}


def test_lengths_end_at_time_though_the_state_stands_first():
    ports = (Port("h0", F32, (1, "B", 4)), LENS, Port("x", F32, ("T", "B", 3)))
    drawn = draws(ports, dict.fromkeys(("h0", "x"), Use()) | {"lens": Use(lengths=True)}).draw({"B": 30, "T": 6})
    assert drawn["lens"].max() == 6


def test_the_same_sizes_give_the_same_numbers_and_others_others():
    one = Draws((X,), {"x": Use()})
    assert np.array_equal(one.draw({"B": 2, "T": 3})["x"], one.draw({"B": 2, "T": 3})["x"])
    assert one.draw({"B": 2, "T": 3})["x"][0, 0, 0] != one.draw({"B": 3, "T": 3})["x"][0, 0, 0]


def test_integers_that_nothing_bounds_are_refused():
    with pytest.raises(GraphError, match=r"its input ids int64 \(B, T\) cannot be drawn: the graph neither picks rows"):
        draws((IDS,), {"ids": Use()})


def test_what_takes_no_room_or_too_much_is_refused_before_it_is_drawn():
    with pytest.raises(GraphError, match=r"its input x float32 \(0, 3\) holds nothing"):
        Draws((Port("x", F32, (0, 3)),), {"x": Use()}).draw({})
    with pytest.raises(GraphError, match=r"take more than 256 MiB"):
        Draws((Port("x", F32, (2**40, 3)),), {"x": Use()}).draw({})


# --- names --------------------------------------------------------------------------------------------------------

PATH = Path("a.onnx")


def test_names_count_first_then_what_only_one_can_be():
    wanted = (X, IDS, H0)
    found = (Port("tokens", I32, (None, None)), Port("h0", F32, (1, "N", 4)), Port("a", F32, ("N", "S", 3)))
    assert match(PATH, "inputs", wanted, found) == {"x": "a", "ids": "tokens", "h0": "h0"}


def test_what_two_can_be_is_refused_and_so_is_what_none_can_be():
    other = Port("c0", F32, (1, "B", 4))
    with pytest.raises(GraphError, match=r"^a\.onnx cannot be matched: expected are the inputs h0 float32 \(1, B, 4\)"):
        match(PATH, "inputs", (H0, other), (Port("a", F32, (1, "N", 4)), Port("b", F32, (1, "N", 4))))
    with pytest.raises(GraphError, match=r"it has a float32 \(1, N, 5\)$"):
        match(PATH, "inputs", (H0,), (Port("a", F32, (1, "N", 5)),))


def test_a_name_does_not_count_where_the_type_cannot_be():
    assert match(PATH, "inputs", (X, IDS), (Port("x", I64, ("B", "T")), Port("ids", F32, ("B", "T", 3)))) == {
        "x": "ids",
        "ids": "x",
    }


def test_what_is_optional_may_be_missing_and_what_is_too_much_may_not():
    assert match(PATH, "inputs", (X, LENS), (X,), optional=("lens",)) == {"x": "x"}
    with pytest.raises(GraphError, match="cannot be matched"):
        match(PATH, "inputs", (X, LENS), (LENS,), optional=("lens",))
    with pytest.raises(GraphError, match="cannot be matched"):
        match(PATH, "inputs", (X,), (X, H0))


# --- outcome ------------------------------------------------------------------------------------------------------


def row(output="y", runtime="r", **found):
    known = {"max_error": 1e-7, "float32_error": 1e-7, "bound": 1e-6} | found
    return ForeignRow(file="a.onnx", engine=Engine(runtime=runtime), sizes="x (1,)", output=output, **known)


def test_the_worst_row_is_the_first_that_failed_or_else_the_largest_share():
    rows = (row(max_error=1e-7), row(max_error=5e-7), row(max_error=2e-7))
    assert ForeignReport(against="a", rows=rows).worst() == (rows[1],)
    failed = (*rows, row(max_error=2e-6, reason="off"), row(max_error=9e-6, reason="far off"))
    report = ForeignReport(against="a", rows=failed)
    assert report.worst() == (failed[3],)
    assert report.failures() == (failed[3],)
    assert not report.passed


def test_an_output_that_rounding_decides_at_all_sizes_is_named():
    rows = (row(), row("index", bound=None), row("index", bound=None), row("other", bound=None), row("other"))
    assert unjudged(rows) == ("index",)
    assert ForeignReport(against="a", rows=rows).worst()[2].bound is not None, "one that was judged is shown"


def test_a_port_says_what_it_is():
    assert Port("x", F32, (None, "T", 3)).words == "x float32 (?, T, 3)"
    assert Port("y", F32, None).words == "y float32 (?)"
