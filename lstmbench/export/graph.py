"""A model as an ONNX graph: batch-first outside, time-major inside, B and T open, state in and out."""

import onnx_ir as ir

from lstmbench.errors import ExportError
from lstmbench.export import heads, loop, lstm, scan, step
from lstmbench.export.nodes import IR_VERSION, Nodes, declare, floats
from lstmbench.export.source import Source
from lstmbench.records import Form, Peephole

_LAYERS = {"lstm": lstm.layer, "scan": scan.layer, "loop": loop.layer}
_CELLS: dict[Form, tuple[Peephole, ...]] = {"lstm": lstm.CELLS, "scan": step.CELLS, "loop": step.CELLS}


def forms(peephole: Peephole) -> list[Form]:
    """The forms that can hold a cell, the one to prefer first."""
    return [form for form, cells in _CELLS.items() if peephole in cells]


def demand_form(peephole: Peephole, form: Form) -> None:
    """ExportError, saying why and what to take instead, if the form cannot hold the cell."""
    if form not in forms(peephole):
        raise ExportError(
            f"form {form!r} cannot hold the cell {peephole!r}: ONNX's LSTM operator knows diagonal peepholes only; "
            f"take form {' or '.join(map(repr, forms(peephole)))}"
        )


def build(source: Source, form: Form) -> ir.Model:
    """`input_ids` (B, T) or `x` (B, T, E), h_0 and c_0 (D·L, B, H) -> `logits` or `y`, h_n and c_n."""
    config, nodes = source.config, Nodes()
    shape: list[int | str] = [config.directions * config.num_layers, "B", config.hidden_size]
    batch, state = heads.graph_input(source), (floats("h_0", shape), floats("c_0", shape))
    x, h, c = heads.enter(nodes, source, batch), list[ir.Value](), list[ir.Value]()
    for k in range(config.num_layers):
        layer = _LAYERS[form](nodes, source, k, x, state)
        x, h, c = layer.y, h + layer.h, c + layer.c
    output = heads.leave(nodes, source, x)
    after = [declare(nodes.join(f"head.{name}", rows, axis=0), name, shape) for name, rows in (("h_n", h), ("c_n", c))]
    return ir.Model(nodes.graph("lstmbench", [batch, *state], [output, *after]), ir_version=IR_VERSION)
