"""Every graph of a model: of functions too, and bodies inside bodies."""

from collections.abc import Iterator
from typing import TypeAlias

import onnx

Graph: TypeAlias = onnx.GraphProto | onnx.FunctionProto


def graphs(graph: onnx.GraphProto) -> Iterator[onnx.GraphProto]:
    """The graph, then those that its nodes hold: of Scan, Loop and If."""
    for one in _inside([graph]):
        assert isinstance(one, onnx.GraphProto)
        yield one


def everything(model: onnx.ModelProto) -> Iterator[Graph]:
    """The graph and the functions, and all that their nodes hold."""
    yield from _inside([model.graph, *model.functions])


def inside(graph: Graph) -> Iterator[Graph]:
    """The graph or function, and all that its nodes hold."""
    yield from _inside([graph])


def tensors(model: onnx.ModelProto) -> Iterator[onnx.TensorProto]:
    """All that are held: initializers, and those in the attributes of nodes, as of Constant."""
    for one in everything(model):
        if isinstance(one, onnx.GraphProto):
            yield from one.initializer
            yield from (sparse.values for sparse in one.sparse_initializer)
        for node in one.node:
            for attribute in node.attribute:
                yield from [attribute.t] if attribute.type == onnx.AttributeProto.TENSOR else attribute.tensors


def _inside(waiting: list[Graph]) -> Iterator[Graph]:
    while waiting:
        one = waiting.pop()
        yield one
        for node in one.node:
            for attribute in node.attribute:
                waiting += [attribute.g] if attribute.type == onnx.AttributeProto.GRAPH else attribute.graphs
