"""What all recurrences of a file come to in this project's words: form, head, cell and sizes."""

from collections.abc import Callable, Iterable, Sequence
from typing import Literal, NamedTuple, TypeVar

import onnx_ir as ir

from lstmbench.inspect.flow import Flow
from lstmbench.inspect.inspection import Recurrence
from lstmbench.inspect.operators import LSTMS
from lstmbench.inspect.states import leading
from lstmbench.inspect.tensors import Constants, shape

T = TypeVar("T")
_DRAWS = frozenset({"ArgMax", "CumSum", "Multinomial", "TopK"})


class Summary(NamedTuple):
    """None: the graph does not say, or says several things."""

    form: str | None
    cell: Literal["full", "diagonal", "none"] | None
    input_size: int | None
    hidden_size: int | None
    num_layers: int | None
    directions: int | None


def summarise(flow: Flow, rows: Sequence[Recurrence]) -> Summary:
    """Of all rows together, those that only hold others left out; of a graph that draws, the one that does.

    A single step that is written out does not say which way it walks: several may be layers or directions.
    """
    rows = leading(rows)
    rows = [row for row in rows if _draws(flow, row)] or rows
    written_out = len(rows) > 1 and any(row.operator == "steps" and row.steps == 1 for row in rows)
    forward = sum(row.layers for row in rows if row.direction != "reverse")
    both = any(row.direction == "bidirectional" for row in rows) or forward != sum(row.layers for row in rows)
    return Summary(
        form=_same(rows, lambda row: _form(flow, row)),
        cell=_same(rows, lambda row: row.cell),
        input_size=rows[0].input_size if rows else None,
        hidden_size=_same(rows, lambda row: row.hidden_size),
        num_layers=None if written_out else forward or sum(row.layers for row in rows) or None,
        directions=None if written_out or not rows else 2 if both and forward else 1,
    )


def _form(flow: Flow, row: Recurrence) -> str | None:
    if row.operator in LSTMS:
        return "lstm" if row.steps is None else f"unrolled{row.steps}"
    if row.operator == "steps":
        return "step" if row.steps == 1 else f"unrolled{row.steps}"
    if row.operator not in ("Scan", "Loop"):
        return None
    return "generate" if _draws(flow, row) else row.operator.lower()


def _draws(flow: Flow, row: Recurrence) -> bool:
    return any(node.op_type in _DRAWS for place in flow.places if place.where == row.name for node in place.nodes)


def _same(rows: Iterable[Recurrence], of: Callable[[Recurrence], T | None]) -> T | None:
    values = {of(row) for row in rows}
    return values.pop() if len(values) == 1 else None


def head(flow: Flow, constants: Constants, out: int | None) -> tuple[Literal["lm", "layer", "classes"], int | None]:
    """`lm` and V where tokens pick rows of a table that the file holds; `layer` where features come in.

    Where what comes out is of another size than V, no token is told from others by it: `classes`.
    """
    for place in flow.places:
        for node in place.nodes:
            if node.op_type == "Gather" and (dims := _table(flow, constants, node)) is not None:
                vocabulary = dims if isinstance(dims, int) else None
                return "lm" if out in {vocabulary, None} or vocabulary is None else "classes", vocabulary
    return "layer", None


def output_size(flow: Flow, rows: Sequence[Recurrence]) -> int | None:
    """The last axis of the first output that is a float and no state; None where the file does not say."""
    handed = {state.output for row in rows for state in row.states}
    for value in flow.outputs:
        dims = shape(value)
        if value.name not in handed and value.dtype is not None and value.dtype.is_floating_point():
            return dims[-1] if dims and isinstance(dims[-1], int) else None
    return None


def _table(flow: Flow, constants: Constants, node: ir.Node) -> int | str | None:
    """How many rows a table has from which the graph's input picks, itself or what was drawn after it."""
    table, ids = node.inputs
    if table is None or ids is None or not constants.is_constant(table) or constants.is_constant(ids):
        return None
    (dims,) = {shape(origin) for origin in flow.origins(table)} or {None}
    tokens = [value for value in flow.origins(ids) if value in flow.inputs]
    return dims[0] if tokens and dims is not None and len(dims) == 2 else None
