"""What of a file's states and time can be relied on, by whoever calls it."""

from collections.abc import Iterator, Sequence
from pathlib import Path

import onnx_ir as ir

from lstmbench.errors import RecordError
from lstmbench.inspect import along
from lstmbench.inspect.attends import attention
from lstmbench.inspect.flow import Flow
from lstmbench.inspect.inspection import Recurrence
from lstmbench.inspect.operators import OPERATORS
from lstmbench.inspect.read import recurrences
from lstmbench.inspect.states import leading
from lstmbench.inspect.tensors import Constants, number, shape
from lstmbench.onnxfile.carried import Carried


def carried(path: Path) -> Carried:
    """Read one file; what cannot be told of it, or of a file that is no ONNX model, stands in `uncut`."""
    try:
        return _carried(*recurrences(path))
    except RecordError as error:
        return Carried(uncut=str(error))
    except (TypeError, ValueError, IndexError, KeyError):  # a graph that no exporter writes
        return Carried(uncut="its graph cannot be followed")


def _carried(flow: Flow, constants: Constants, found: Sequence[Recurrence]) -> Carried:
    rows = leading(found)
    if not rows:
        return Carried(uncut="it has no recurrence that was recognised")
    time, outputs, followed = along.timed(flow, constants)
    pairs = tuple(dict.fromkeys((s.input, s.output) for row in rows for s in row.states if s.input and s.output))
    states = {name for pair in pairs for name in pair}
    steps = {row.steps for row in rows if row.operator == "steps"}
    if len(steps) == 1 and (count := steps.pop()):
        time |= _of_size(flow.inputs, count)
        outputs |= _of_size(flow.outputs, count)
        followed = bool(time.keys() - states)
    return Carried(
        states=_by_name(pairs),
        time={name: axis for name, axis in time.items() if name not in states},
        outputs={name: axis for name, axis in outputs.items() if name not in states},
        optional=tuple(dict.fromkeys(_optional(flow))),
        uncut=_uncut(rows, followed=followed, timed=bool(time.keys() - states)) or _read(flow, constants),
    )


def _read(flow: Flow, constants: Constants) -> str:
    if attention(flow, constants) is None:
        return ""
    return "attention reads the states of its own call: cut in pieces, a sequence is another function"


def _by_name(pairs: Sequence[tuple[str, str]]) -> tuple[tuple[str, str], ...]:
    """As whoever calls the file would pair them: h with h, c with c, where their names say so; else as it is wired."""
    crossed = [{given[:1].lower(), handed[:1].lower()} == {"h", "c"} for given, handed in pairs]
    if len(pairs) != 2 or not all(crossed) or pairs[0][0][:1].lower() == pairs[1][0][:1].lower():
        return tuple(pairs)
    (h, c), (handed_c, handed_h) = zip(*pairs, strict=True)
    return (h, handed_h), (c, handed_c)


def _uncut(rows: Sequence[Recurrence], *, followed: bool, timed: bool) -> str:
    states = [state for row in rows for state in row.states]
    if not states:
        return "none of its states was recognised"
    if lost := [row.name for row in rows for state in row.states if not (state.input and state.output)]:
        return f"not every state goes in and comes out: {', '.join(dict.fromkeys(lost))}"
    if any(row.direction != "forward" for row in rows):
        return "a reverse direction starts at the end: cut in pieces, it is another function"
    if not timed or not followed:
        return "what it runs along cannot be followed from its inputs, step for step"
    return ""


def _of_size(values: Sequence[ir.Value], count: int) -> dict[str, int]:
    """Of values with one axis of that size among the first two: which."""
    found = {}
    for value in values:
        axes = [axis for axis, size in enumerate((shape(value) or ())[:2]) if size == count]
        if len(axes) == 1 and len(shape(value) or ()) > 1:
            found[value.name or ""] = axes[0]
    return found


def _optional(flow: Flow) -> Iterator[str]:
    """States that the file names among its inputs and has a value for."""
    defaulted = set(flow.defaulted)
    for place in flow.places:
        for node in place.nodes:
            for before in _states_before(node):
                yield from (v.name for v in defaulted & flow.origins(before) if v.name)


def _states_before(node: ir.Node) -> list[ir.Value]:
    if node.op_type in OPERATORS:
        given = node.inputs[5:7]
    elif node.op_type == "Scan":
        given = node.inputs[: len(node.inputs) - number(node, "num_scan_inputs", 0)]
    else:
        given = node.inputs[2:] if node.op_type == "Loop" else ()
    return [value for value in given if value is not None]
