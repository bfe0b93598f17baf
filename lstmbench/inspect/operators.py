"""The recurrent operators: LSTM, GRU, RNN and ONNX Runtime's DynamicQuantizeLSTM."""

import onnx_ir as ir

from lstmbench.inspect.flow import Flow, Place, name_of
from lstmbench.inspect.inspection import Recurrence
from lstmbench.inspect.states import state
from lstmbench.inspect.tensors import Constants, shape
from lstmbench.records import Peephole

LSTMS = frozenset({"LSTM", "DynamicQuantizeLSTM"})
OPERATORS = LSTMS | {"GRU", "RNN"}
_P, _LENGTHS, _H, _C = 7, 4, 5, 6  # where inputs stand
_USUAL = {"LSTM": ("sigmoid", "tanh", "tanh"), "GRU": ("sigmoid", "tanh"), "RNN": ("tanh",)}


def rows(flow: Flow, constants: Constants, place: Place) -> list[Recurrence]:
    """One row an operator of one graph; operators of which each goes on from the last are one chain, one row."""
    chains: list[list[ir.Node]] = []
    for node in place.nodes:
        if node.op_type in OPERATORS and node.domain in {"", "ai.onnx", "com.microsoft"}:
            before = next((chain for chain in chains if _goes_on(flow, chain[-1], node)), None)
            if before is None:
                chains.append([node])
            else:
                before.append(node)
    return [_row(flow, constants, place, chain) for chain in chains]


def at(node: ir.Node, index: int) -> ir.Value | None:
    """An input, None where it is left out."""
    return node.inputs[index] if index < len(node.inputs) else None


def output(node: ir.Node, index: int) -> ir.Value | None:
    """An output, None where it is left out."""
    return node.outputs[index] if index < len(node.outputs) else None


def text(node: ir.Node, name: str, default: str) -> str:
    """A string attribute."""
    held = node.attributes.get(name)
    return held.as_string() if held is not None and held.type == ir.AttributeType.STRING else default


def _goes_on(flow: Flow, before: ir.Node, node: ir.Node) -> bool:
    """Whether a node takes the state of another with the same weights."""
    h, h_n = at(node, _H), output(before, 1)
    if h is None or h_n is None or before.op_type != node.op_type or flow.origins(h) != {h_n}:
        return False
    own, other = at(node, 2), at(before, 2)
    return own is not None and other is not None and flow.origins(own) == flow.origins(other)


def _row(flow: Flow, constants: Constants, place: Place, chain: list[ir.Node]) -> Recurrence:
    first, last = chain[0], chain[-1]
    cell, why = _cell(constants, first)
    names = "hc" if first.op_type in LSTMS else "h"
    inputs, hidden = _sizes(first)
    return Recurrence(
        name=name_of(first),
        operator=first.op_type,
        cell=cell,
        why=why,
        direction=text(first, "direction", "forward"),
        input_size=inputs,
        hidden_size=hidden,
        steps=len(chain) if len(chain) > 1 else None,
        states=tuple(
            state(flow, constants, name, at(first, _H + n), output(last, 1 + n)) for n, name in enumerate(names)
        ),
        options=_options(first),
        where=place.where,
    )


def _cell(constants: Constants, node: ir.Node) -> tuple[Peephole | None, str]:
    if node.op_type not in LSTMS:
        return None, f"{node.op_type} has no cell state"
    peepholes = at(node, _P)
    if peepholes is None:
        return "none", "no input P"
    zero = constants.all_zero(peepholes)
    if zero:
        return "none", "P is all zero"
    if zero is False:
        return "diagonal", "input P"
    return "diagonal", "input P, whose values are not in the file"


def _sizes(node: ir.Node) -> tuple[int | None, int | None]:
    """E and H, from W and the attribute; the quantised operator holds W turned (D, E, 4H)."""
    held = node.attributes.get("hidden_size")
    hidden = held.as_int() if held is not None and held.type == ir.AttributeType.INT else None
    weights = shape(at(node, 1))
    size = None if weights is None or len(weights) != 3 else weights[1 if node.op_type == "DynamicQuantizeLSTM" else 2]
    return size if isinstance(size, int) else None, hidden


def _options(node: ir.Node) -> tuple[str, ...]:
    """What differs from the operator's defaults."""
    values = {name: attribute.value for name, attribute in node.attributes.items() if not attribute.is_ref()}
    found = [f"{name} {values[name]}" for name in ("layout", "input_forget", "linear_before_reset") if values.get(name)]
    if values.get("clip"):
        found.append(f"clip {values['clip']:g}")
    if at(node, _LENGTHS) is not None:
        found.append("sequence_lens")
    usual = _USUAL.get(node.op_type, _USUAL["LSTM"])
    named = [str(name).lower() for name in values.get("activations") or ()]
    if named and tuple(named) != usual * (len(named) // len(usual)):
        found.append(f"activations {', '.join(map(str, values['activations']))}")
    return tuple(found)
