"""A model as an ONNX graph: batch-first outside, time-major inside, B and T open, state in and out."""

import functools

import onnx_ir as ir

from lstmbench.export import ends, generate, heads, loop, lstm, scan, unrolled
from lstmbench.export.nodes import IR_VERSION, Nodes, Start, declare, floats
from lstmbench.export.source import Source
from lstmbench.records import Form, steps_of

_LAYERS = {"lstm": lstm.layer, "scan": scan.layer, "loop": loop.layer}


def build(source: Source, form: Form, *, look_up: bool = True) -> ir.Model:
    """`input_ids` (B, T) or `x` (B, T, E), h_0 and c_0 (D·L, B, H) -> `logits` or `y`, h_n and c_n.

    T is open; 1 in form `step`, N in form `unrolledN`. Where rows have lengths of their own, `lengths` (B,) comes last.
    Form `generate` has inputs and outputs of its own, and may `look_up` what a token puts into the first layer.
    """
    if form == "generate":
        return generate.build(source, look_up=look_up)
    config, nodes, steps = source.config, Nodes(), steps_of(form)
    time = steps or "T"
    add_layer = functools.partial(unrolled.layer, steps=steps) if steps else _LAYERS[form]
    shape: list[int | str] = [config.directions * config.num_layers, "B", config.hidden_size]
    inputs = [heads.graph_input(source, time), floats("h_0", shape), floats("c_0", shape)]
    x, h, c = heads.enter(nodes, source, inputs[0]), list[ir.Value](), list[ir.Value]()
    start = Start(inputs[1], inputs[2], None)
    if source.lengths:
        inputs.append(ends.graph_input())
        own = inputs[-1] if form == "lstm" else ends.going_on(nodes, inputs[-1], x, steps)
        start = start._replace(ends=own)
    for k in range(config.num_layers):
        layer = add_layer(nodes, source, k, x, start)
        x, h, c = layer.y, h + layer.h, c + layer.c
    output = heads.leave(nodes, source, x, time, inputs[3] if source.lengths else None)
    after = [declare(nodes.join(f"head.{name}", rows, axis=0), name, shape) for name, rows in (("h_n", h), ("c_n", c))]
    return ir.Model(nodes.graph("lstmbench", inputs, [output, *after]), ir_version=IR_VERSION)
