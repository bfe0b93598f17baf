"""Functions of a file that call one another: forty that each call the next twice are 2⁴⁰ nodes in two kilobytes."""

import graphlib
from collections import Counter
from typing import TypeAlias

import onnx

from lstmbench.errors import GraphError
from lstmbench.evaluator.walk import Graph, inside

MOST_NODES = 2**18
Key: TypeAlias = tuple[str, str, str]  # domain, name, overload


def demand_few_nodes(model: onnx.ModelProto) -> None:
    """GraphError, in one line, for a model of too many nodes once every call of its functions is written out."""
    calls = {(one.domain, one.name, one.overload): _called(one) for one in model.functions}
    try:
        order = list(graphlib.TopologicalSorter(calls).static_order())
    except graphlib.CycleError as error:
        raise GraphError(f"function {error.args[1][0][1]!r} calls itself") from error
    nodes = dict[Key, int]()
    for key in order:
        nodes[key] = sum(many * nodes[called] for called, many in calls[key].items()) if key in calls else 1
        _demand(nodes[key])
    _demand(sum(many * nodes.get(called, 1) for called, many in _called(model.graph).items()))


def _called(graph: Graph) -> Counter[Key]:
    """How often it holds each operator or function, bodies included."""
    return Counter((node.domain, node.op_type, node.overload) for one in inside(graph) for node in one.node)


def _demand(nodes: int) -> None:
    if nodes > MOST_NODES:
        raise GraphError(
            f"its functions call one another so often that they are more than {MOST_NODES:,} nodes written out"
        )
