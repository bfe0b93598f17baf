"""Loops that a file tells to go on for longer than anything that it is given could ask for."""

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import numpy_helper
from onnx.external_data_helper import uses_external_data

from lstmbench.errors import GraphError
from lstmbench.evaluator.walk import Graph, everything
from lstmbench.onnxfile.names import shown

MOST_STEPS = 1_000_000  # a sequence of so many is no test input


def demand_ending(model: onnx.ModelProto) -> None:
    """GraphError, in one line, for a Loop whose count the file itself holds, and which nothing can end before.

    A large count beside a condition that the body computes is how `while` is written: that may end.
    """
    for graph in everything(model):
        held = dict(_constants(model.graph)) | dict(_constants(graph))
        for node in graph.node:
            if node.op_type == "Loop" and (count := _count(node, held)) > MOST_STEPS:
                name = node.name or next(iter(node.output), "")
                raise GraphError(
                    f"node {name!r} (Loop) is told to take {count:,} steps, whatever it is given: at most "
                    f"{MOST_STEPS:,} are evaluated"
                )


def _constants(graph: Graph) -> Iterator[tuple[str, NDArray[Any]]]:
    """Numbers that the file holds: single ones, in the file itself."""
    for tensor in graph.initializer if isinstance(graph, onnx.GraphProto) else ():
        if not uses_external_data(tensor) and list(tensor.dims) in ([], [1]):
            yield tensor.name, _held(tensor)
    for node in graph.node:
        for attribute in node.attribute if node.op_type == "Constant" else ():
            if attribute.name == "value" and list(attribute.t.dims) in ([], [1]):
                yield node.output[0], _held(attribute.t)
            elif attribute.name == "value_int":
                yield node.output[0], np.array(attribute.i)


def _held(tensor: onnx.TensorProto) -> NDArray[Any]:
    try:
        return numpy_helper.to_array(tensor)
    except (ValueError, TypeError, KeyError) as error:
        raise GraphError(f"its tensor {shown(tensor.name)} does not hold what its type and shape say") from error


def _count(node: onnx.NodeProto, held: Mapping[str, NDArray[Any]]) -> int:
    """How often the body runs, if the file says so; 0 where that hangs on anything."""
    body = next((attribute.g for attribute in node.attribute if attribute.name == "body"), onnx.GraphProto())
    count, going = (*node.input, "", "")[:2]
    begins = not going or (going in held and bool(held[going].all()))
    if count not in held or not begins or not _goes_on(body):
        return 0
    return int(held[count].ravel()[0])


def _goes_on(body: onnx.GraphProto) -> bool:
    """Whether the condition that a body hands on is the one that it was given, or true."""
    if len(body.input) < 2 or not body.output:
        return False
    held, made = dict(_constants(body)), {name: node for node in body.node for name in node.output}
    name = body.output[0].name
    for _ in body.node:
        if name in made and made[name].op_type == "Identity":
            name = made[name].input[0]
    return name == body.input[1].name or (name in held and bool(held[name].all()))
