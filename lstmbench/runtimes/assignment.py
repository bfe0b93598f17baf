"""Where ONNX Runtime runs the nodes of a session, and in which precision those that recur compute.

The assignment that a session tells leaves out the Casts that it puts around what a provider has no kernel for: a
float16 LSTM on the CPU computes in float32 between two of them. They stand in the graph that it runs, which it writes
down if it is asked to.
"""

import re
import tempfile
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from lstmbench.records import Placement

_RECURRENT = re.compile(r"l[0-9]+\.")  # how nodes of a layer are named, through every fusion
_INTEGER = {
    "DynamicQuantizeLSTM": "int8",
    "DynamicQuantizeMatMul": "int8",
    "MatMulIntegerToFloat": "int8",
    "MatMulInteger": "int8",
    "MatMulNBits": "int4",
}
# they compute nothing
_MOVE = frozenset(
    "Scan Loop Cast Concat Identity Gather Slice Split Squeeze Unsqueeze Reshape Transpose Shape Constant".split()  # noqa: SIM905
)
_FLOATS = {1: "float32", 10: "float16", 11: "float64", 16: "bfloat16"}  # onnx.TensorProto.DataType


class Node(NamedTuple):
    """One that ran, and on which provider."""

    provider: str
    op_type: str
    name: str


def _of_a_layer(node: Node) -> bool:
    return bool(_RECURRENT.match(node.name))


def placement(
    session: Any, ran_in: Mapping[str, str] | None = None, *, recurs: Callable[[Node], bool] = _of_a_layer
) -> tuple[Placement, ...]:
    """Nodes by provider, operator and precision; () where ONNX Runtime is too old to say.

    `ran_in`: precision by the name of a node, not told of the others; float32 of all where it is not given. `recurs`:
    whether a node is part of a recurrence; unless given, by the names that our exports give to nodes.
    """
    if not hasattr(session, "get_provider_graph_assignment_info"):
        return ()
    parts = session.get_provider_graph_assignment_info()
    nodes = (Node(part.ep_name, node.op_type, node.name) for part in parts for node in part.get_nodes())
    return counted(nodes, ran_in, recurs=recurs)


def counted(
    nodes: Iterable[Node], ran_in: Mapping[str, str] | None = None, *, recurs: Callable[[Node], bool] = _of_a_layer
) -> tuple[Placement, ...]:
    """How many nodes there are of each kind."""
    kinds = Counter[tuple[str, str, bool, str]]()
    for node in nodes:
        recurrent = recurs(node)
        told = _told(node, ran_in) if recurrent else ""
        kinds[node.provider, node.op_type, recurrent, told] += 1
    return tuple(
        Placement(provider=provider, operator=operator, nodes=nodes, recurrent=recurrent, precision=precision)
        for (provider, operator, recurrent, precision), nodes in sorted(kinds.items())
    )


def _told(node: Node, ran_in: Mapping[str, str] | None) -> str:
    if node.op_type in _MOVE:
        return ""
    return _INTEGER.get(node.op_type) or ("float32" if ran_in is None else ran_in.get(node.name, ""))


def precisions(graph: bytes, beside: Mapping[str, Any], provider: str) -> dict[str, str]:
    """In which float each node of a file computes once ONNX Runtime has put its Casts in, by name."""
    import onnx  # takes half a second
    import onnxruntime as ort

    options = ort.SessionOptions()
    options.log_severity_level = 3  # it warns that what it writes is for this machine alone
    if beside:
        options.add_external_initializers(list(beside), list(beside.values()))
    with tempfile.TemporaryDirectory() as folder:
        written = Path(folder) / "as-it-runs.onnx"
        options.optimized_model_filepath = str(written)
        ort.InferenceSession(graph, options, providers=[provider])
        return dict(_of_graph(onnx.load(written).graph, {}))


def _of_graph(graph: Any, around: Mapping[str, int]) -> Iterator[tuple[str, str]]:
    """Follow the types from what declares them: tensors, inputs, Casts."""
    types = {**around, **{value.name: value.type.tensor_type.elem_type for value in graph.input}}
    types |= {tensor.name: tensor.data_type for tensor in graph.initializer}
    for node in graph.node:
        floats = [types[name] for name in node.input if types.get(name) in _FLOATS]
        cast = next((attribute.i for attribute in node.attribute if attribute.name == "to"), 0)
        for attribute in node.attribute:
            if attribute.HasField("g"):
                yield from _of_graph(attribute.g, types)
        if floats:
            yield node.name, _FLOATS[floats[0]]
        kind = cast if node.op_type == "Cast" else next(iter(floats), 0)
        types |= dict.fromkeys(node.output, kind)
