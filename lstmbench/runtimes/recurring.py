"""Which nodes of anybody's graph are part of its recurrence: their names say nothing, as those of our exports do."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

from lstmbench.records import Placement
from lstmbench.runtimes.assignment import placement

LOOPS = frozenset(["Scan", "Loop"])
RECURRENT = frozenset(["LSTM", "GRU", "RNN", "DynamicQuantizeLSTM"]) | LOOPS


class _Around(NamedTuple):
    """What a file holds outside of bodies, and whether any of it is float64."""

    names: frozenset[str]
    double: bool


def placement_of_file(session: Any, path: Path) -> tuple[Placement, ...]:
    """Nodes by provider, operator and precision, of a file in float32 whoever wrote it; () where it is not told.

    Recurrent are the operators of that kind, and in Scan and Loop whatever is not known to stand outside. Where no
    operator recurs the steps may be written out in nodes, and any of them may be part of one: then all are. The
    precision is not told where the file holds float64 too.
    """
    if not hasattr(session, "get_provider_graph_assignment_info"):
        return ()
    parts = session.get_provider_graph_assignment_info()
    found = {node.op_type for part in parts for node in part.get_nodes()} & RECURRENT
    around = _read(path)
    recurs = _within(around.names) if found & LOOPS else _is_operator if found else _any
    return placement(session, {} if around.double else None, recurs=recurs)


def is_idle(session: Any) -> bool:
    """Whether it tells that no node is left to run: all that the file computes was folded when it was loaded."""
    told = getattr(session, "get_provider_graph_assignment_info", None)
    return told is not None and not any(part.get_nodes() for part in told())


def _is_operator(node: Any) -> bool:
    return node.op_type in RECURRENT


def _any(node: Any) -> bool:
    del node
    return True


def _within(outside: frozenset[str]) -> Callable[[Any], bool]:
    def recurs(node: Any) -> bool:
        fused, _, _ = node.name.rpartition("/")  # name/MatMulAddFusion
        return node.op_type in RECURRENT or not {node.name, fused} & outside

    return recurs


def _read(path: Path) -> _Around:
    import onnx  # takes half a second

    from lstmbench.evaluator.walk import graphs, tensors

    double = onnx.TensorProto.DOUBLE
    model = onnx.load(path, load_external_data=False)
    own, *bodies = graphs(model.graph)
    names = {node.name for node in own.node if node.name} - {node.name for body in bodies for node in body.node}
    kinds = {tensor.data_type for tensor in tensors(model)}
    kinds |= {value.type.tensor_type.elem_type for graph in (own, *bodies) for value in graph.input}
    kinds |= {a.i for graph in (own, *bodies) for node in graph.node for a in node.attribute if a.name == "to"}
    return _Around(frozenset(names), double=double in kinds)
