"""Which graph inputs a state starts from, which graph outputs hand it on, and what that comes to for the file."""

from collections.abc import Iterable, Sequence

import onnx_ir as ir

from lstmbench.inspect.flow import Flow
from lstmbench.inspect.inspection import Recurrence, Start, State
from lstmbench.inspect.tensors import Constants, shape


def state(flow: Flow, constants: Constants, name: str, before: ir.Value | None, after: ir.Value | None) -> State:
    """The state that is `before` the first step and `after` the last; None stands for an input or output left out."""
    start, given = _start(flow, constants, before)
    reached = [] if after is None else flow.arrivals(after)
    alike = [output for output in reached if given is not None and shape(output) == shape(given)]
    output = next(iter(alike or reached), None)
    return State(
        name=name,
        start=start,
        input=None if given is None else given.name,
        output=None if output is None else output.name,
    )


def _start(flow: Flow, constants: Constants, before: ir.Value | None) -> tuple[Start, ir.Value | None]:
    if before is None or constants.all_zero(before):
        return "zeros", None
    if constants.is_constant(before):
        return "constant", None
    origins = flow.origins(before)
    given = [value for value in flow.inputs if value in origins]
    return ("input", given[0]) if given and len(origins) == 1 else ("computed", None)


def leading(rows: Sequence[Recurrence]) -> Sequence[Recurrence]:
    """The rows without loops that only hold others."""
    return [row for row in rows if row.operator not in {"Scan", "Loop"} or row.cell is not None] or rows


def contract(rows: Sequence[Recurrence]) -> str:
    """All states in one line: in and out, one of the two, or neither."""
    states = [state for row in leading(rows) for state in row.states]
    if not states:
        return "no state was recognised"
    given, handed = [s for s in states if s.start == "input"], [s for s in states if s.output is not None]
    if not given:
        return f"no state in ({_starts(states)})" + (f"; out only: {_names(handed)}" if handed else ", none out")
    whole = len(given) == len(handed) == len(states)
    pairs = ", ".join(dict.fromkeys(f"{s.input} → {s.output or 'nothing'}" for s in given))
    if whole:
        return f"state in and out: {pairs}"
    if not handed:
        return f"state in, not out: {', '.join(dict.fromkeys(str(s.input) for s in given))}"
    return f"some states in and out: {pairs}; the others: {_starts(s for s in states if s.start != 'input')}".rstrip(
        ": "
    )


def _starts(states: Iterable[State]) -> str:
    words = {
        "zeros": "starts from zeros",
        "constant": "starts from constants",
        "computed": "starts from computed values",
    }
    return ", ".join(dict.fromkeys(words[state.start] for state in states if state.start in words))


def _names(states: Iterable[State]) -> str:
    return ", ".join(dict.fromkeys(str(state.output) for state in states))
