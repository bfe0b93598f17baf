"""Every graph of a model, bodies inside bodies too."""

from collections.abc import Iterator

import onnx


def graphs(graph: onnx.GraphProto) -> Iterator[onnx.GraphProto]:
    """The graph, then those that its nodes hold: of Scan, Loop and If."""
    waiting = [graph]
    while waiting:
        one = waiting.pop()
        yield one
        for node in one.node:
            for attribute in node.attribute:
                waiting += [attribute.g] if attribute.type == onnx.AttributeProto.GRAPH else attribute.graphs


def tensors(graph: onnx.GraphProto) -> Iterator[onnx.TensorProto]:
    """All that are held: initializers, and those in the attributes of nodes, as of Constant."""
    for one in graphs(graph):
        yield from one.initializer
        for sparse in one.sparse_initializer:
            yield sparse.values
        for node in one.node:
            for attribute in node.attribute:
                yield from [attribute.t] if attribute.type == onnx.AttributeProto.TENSOR else attribute.tensors
