"""Damage that a parser lets pass: names that are no text, values that nothing makes, types that do not exist."""

from collections.abc import Iterable, Iterator

import onnx_ir as ir

from lstmbench.inspect.flow import Flow, bodies, name_of

_MOST_DIMENSIONS = 64  # NumPy has no more, engines fewer


def fault(flow: Flow, model: ir.Model) -> str | None:
    """The first fault; None if there is none; ValueError for a type that does not exist."""
    return next(_faults(flow, model), None)


def _faults(flow: Flow, model: ir.Model) -> Iterator[str]:
    yield from _names([model.producer_name, model.producer_version, *model.metadata_props, *model.opset_imports])
    yield from _names(model.metadata_props.values())
    yield from (fault for value in (*model.graph.inputs, *model.graph.outputs) for fault in _dimensions(value))
    given = {value for function in model.functions.values() for value in function.inputs}
    for place in flow.places:
        made = set[ir.Value]()
        for node in place.nodes:
            yield from _node(node, given)
            yield from _early(node, made)
            made.update(node.outputs)
    for value in [value for body in _bodies(flow, model) for value in body.outputs]:
        yield from _value(value, given, "an output")
    for tensor in flow.tensors:
        yield from _names([tensor.name, tensor.dtype.name])


def _dimensions(value: ir.Value) -> Iterator[str]:
    if value.shape is not None and len(value.shape) > _MOST_DIMENSIONS:
        yield f"{value.name!r} has {len(value.shape):,} dimensions: {_MOST_DIMENSIONS} are the most"


def _bodies(flow: Flow, model: ir.Model) -> Iterator[ir.Graph]:
    yield model.graph
    for place in flow.places:
        for node in place.nodes:
            yield from bodies(node)


def _node(node: ir.Node, given: set[ir.Value]) -> Iterator[str]:
    yield from _names([node.name, node.op_type, node.domain, *node.attributes])
    yield from _names(value.name for value in node.outputs)
    for value in node.inputs:
        if value is not None:
            yield from _value(value, given, f"node {name_of(node)!r}")


def _early(node: ir.Node, made: set[ir.Value]) -> Iterator[str]:
    """The standard wants nodes in order; where one takes what is made later, values can go round for ever."""
    for value in node.inputs:
        maker = None if value is None else value.producer()
        if value is not None and maker is not None and maker.graph is node.graph and value not in made:
            yield f"node {name_of(node)!r} takes {value.name!r}, which is made after it"


def _value(value: ir.Value, given: set[ir.Value], taker: str) -> Iterator[str]:
    yield from _names([value.name])
    if value.producer() is None and not value.is_graph_input() and not value.is_initializer() and value not in given:
        yield f"{taker} takes {value.name!r}, which nothing makes"


def _names(names: Iterable[object]) -> Iterator[str]:
    """Protobuf hands bytes over where they are no UTF-8."""
    yield from (f"the name {name!r} is no UTF-8" for name in names if isinstance(name, bytes))
