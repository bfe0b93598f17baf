"""Form `generate`: the whole decode inside one graph, for every cell of head `lm`.

A Loop reads the prompt up to its last token, keeping nothing but the state: it may have no turn at all, which a Scan
may not. A Scan over the numbers to draw at takes that token, and then each one that it drew: a step, logits, a draw by
inverse CDF as in `lstmbench.model.sampling`; as a Loop it took a tenth longer in ONNX Runtime. The last token drawn is
not read any more: h_n and c_n are the state before it, and a caller goes on by giving it as the next prompt.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import onnx_ir as ir

from lstmbench.export import heads, step
from lstmbench.export.nodes import IR_VERSION, Nodes, declare, floats
from lstmbench.export.source import Direction, Source

State = list[ir.Value]  # h of each layer, then c of each: 2·L of (B, H)


class _Model(NamedTuple):
    """What every step takes from the graph around it."""

    nodes: Nodes
    source: Source
    known: ir.Value | None  # (V, 4H): what each token puts into the first layer


class _Rule(NamedTuple):
    """How each draw is made, the same for all: worked out once, before the loop."""

    kept: ir.Value  # (1,) int64: k of the top k; 1 where temperature is 0
    temperature: ir.Value  # () float32; 1 where it is 0
    uniform: ir.Value  # (N, B, 1)


def build(source: Source, *, look_up: bool) -> ir.Model:
    """`input_ids` (B, T), h_0 and c_0 (L, B, H), `temperature`, `top_k`, `uniform` (B, N) -> `tokens` (B, N), h_n, c_n.

    Temperature 0 takes the most likely token; top_k 0 keeps all. Of equal logits the lower id comes first. `look_up`:
    what tokens put into the first layer may be worked out for all at once; in int8 that is not what each step makes.
    """
    config, nodes = source.config, Nodes()
    shape: list[int | str] = [config.num_layers, "B", config.hidden_size]
    ids, h_0, c_0 = heads.graph_input(source, "T"), floats("h_0", shape), floats("c_0", shape)
    temperature, top_k = floats("temperature", []), ir.val("top_k", ir.DataType.INT64, [])
    uniform = floats("uniform", ["B", "N"])
    rows = nodes.add("head.time_major", "Transpose", [ids], perm=[1, 0])  # (T, B)
    model = _Model(nodes, source, _known(nodes, source) if look_up else None)
    state = _read_prompt(model, rows, _layers(nodes, source, h_0) + _layers(nodes, source, c_0))
    last = nodes.add("head.last_token", "Gather", [rows, nodes.constant("head.last", np.array(-1))], axis=0)
    rule = _rule(nodes, config.vocabulary_size, (temperature, top_k, uniform))
    state, drawn = _decode(model, last, state, rule)
    outputs = [nodes.add("sample.batch_major", "Transpose", [drawn], perm=[1, 0])]
    outputs[0].name, outputs[0].dtype, outputs[0].shape = "tokens", ir.DataType.INT64, ir.Shape(["B", "N"])
    L = config.num_layers
    outputs += [declare(_stacked(nodes, name, s), name, shape) for name, s in (("h_n", state[:L]), ("c_n", state[L:]))]
    inputs = [ids, h_0, c_0, temperature, top_k, uniform]
    return ir.Model(nodes.graph("lstmbench", inputs, outputs), ir_version=IR_VERSION)


def _known(nodes: Nodes, source: Source) -> ir.Value | None:
    """W x + b of every token x, once and for all, where they are no more than the units: a step then looks it up.

    A larger vocabulary would take more room than the recurrence does.
    """
    if source.config.vocabulary_size > source.config.hidden_size:
        return None
    table = nodes.constant("embedding.weight", source.weights["embedding.weight"])
    return step.input_projection(nodes, nodes, source.directions(0)[0]._replace(part="tokens"), table)


def _read_prompt(model: _Model, rows: ir.Value, state: State) -> State:
    """The state after all tokens of rows (T, B) but the last; a prompt of one token leaves it as it is."""
    nodes, body, now = model.nodes, Nodes(), _carried(model.source, "prompt")
    t, go_on = ir.val("head.prompt_t", ir.DataType.INT64, []), ir.val("head.prompt_go_on", ir.DataType.BOOL, [])
    token = body.add("head.prompt_token", "Gather", [rows, t], axis=0)
    after = _take(model, body, token, now, part="prompt")
    still = body.add("head.prompt_still", "Identity", [go_on])
    graph = body.graph("head.prompt", [t, go_on, *now], [still, *after])
    length = nodes.add("head.prompt_length", "Shape", [rows], start=0, end=1)
    scalar = nodes.add("head.prompt_scalar", "Squeeze", [length, nodes.constant("head.prompt_axis", np.array([0]))])
    turns = nodes.add("head.prompt_turns", "Sub", [scalar, nodes.constant("head.one", np.array(1))])
    names = [f"{value.name}_left" for value in now]
    return nodes.add_many("head.prompt_loop", "Loop", [turns, None, *state], outputs=names, body=graph)


def _decode(model: _Model, token: ir.Value, state: State, rule: _Rule) -> tuple[State, ir.Value]:
    """The state before the last draw, and all draws (N, B)."""
    (nodes, source, _), body, now = model, Nodes(), _carried(model.source, "")
    before, at = ir.val("sample.before", ir.DataType.INT64, ["B"]), floats("sample.at", ["B", 1])
    after = _take(model, body, before, now)
    logits = heads.project(body, nodes, source, after[source.config.num_layers - 1])
    token_next = _draw(body, nodes, logits, at, rule)
    kept = body.add("sample.kept", "Identity", [token_next])  # one value may not leave a body twice
    graph = body.graph("sample.step", [before, *now, at], [token_next, *after, kept])
    names = ["sample.last", *(f"{value.name}_left" for value in now), "sample.drawn"]
    given = [token, *state, rule.uniform]
    _, *state, drawn = nodes.add_many("sample.scan", "Scan", given, outputs=names, body=graph, num_scan_inputs=1)
    return state, drawn


def _take(model: _Model, body: Nodes, token: ir.Value, state: State, *, part: str = "") -> State:
    """One token a row, (B,), through all layers."""
    L, after = model.source.config.num_layers, list(state)
    for k in range(L):
        direction = model.source.directions(k)[0]._replace(part=part)
        if k == 0:
            z = _input(model, body, token, direction)
        else:
            z = step.input_projection(body, model.nodes, direction, after[k - 1])
        after[k], after[L + k] = step.take(body, model.nodes, direction, (state[k], state[L + k]), z)
    return after


def _input(model: _Model, body: Nodes, token: ir.Value, direction: Direction) -> ir.Value:
    """Ids (B,) -> W x + b of the first layer (B, 4H)."""
    if model.known is not None:
        return body.add(f"{direction.now}.z", "Gather", [model.known, token], axis=0)
    part = direction.part and f"{direction.part}_"
    x = heads.embed(body, model.nodes, model.source, token, part=part)
    return step.input_projection(body, model.nodes, direction, x)


def _rule(nodes: Nodes, V: int, given: tuple[ir.Value, ir.Value, ir.Value]) -> _Rule:
    (temperature, top_k, uniform), add = given, nodes.add
    zero, one = nodes.constant("sample.zero", np.array(0)), nodes.constant("sample.one", np.array(1))
    all_of_them = nodes.constant("sample.all", np.array(V))
    unit, axis = (
        nodes.constant("sample.unit", np.array(1, np.float32)),
        nodes.constant("sample.first_axis", np.array([0])),
    )
    greedy = add("sample.greedy", "Equal", [temperature, nodes.constant("sample.cold", np.array(0, np.float32))])
    unlimited = add("sample.unlimited", "Equal", [top_k, zero])
    at_most = add("sample.at_most", "Min", [top_k, all_of_them])
    several = add("sample.several", "Where", [unlimited, all_of_them, at_most])
    kept = add("sample.top", "Unsqueeze", [add("sample.k", "Where", [greedy, one, several]), axis])
    by_row = add("sample.uniform_by_step", "Transpose", [uniform], perm=[1, 0])
    return _Rule(
        kept=kept,
        temperature=add("sample.temperature", "Where", [greedy, unit, temperature]),
        uniform=add("sample.uniform_column", "Unsqueeze", [by_row, nodes.constant("sample.axis", np.array([2]))]),
    )


def _draw(body: Nodes, outer: Nodes, logits: ir.Value, uniform: ir.Value, rule: _Rule) -> ir.Value:
    """Logits (B, V), uniform (B, 1) -> ids (B,): of the top k, side by side, the one in whose interval it lies."""
    names = ["sample.falling", "sample.ids"]
    falling, ids = body.add_many("sample.top_k", "TopK", [logits, rule.kept], outputs=names, axis=-1)
    scaled = body.add("sample.scaled", "Div", [falling, rule.temperature])
    p = body.add("sample.p", "Softmax", [scaled], axis=-1)
    axis = outer.constant("sample.last_axis", np.array(1))
    edges = body.add("sample.edges", "CumSum", [p, axis], exclusive=1)  # the lower ones: the first is always reached
    reached = body.add("sample.reached", "LessOrEqual", [edges, uniform])
    counted = body.add("sample.counted", "Cast", [reached], to=ir.DataType.INT32)
    place = body.add("sample.place", "ArgMax", [counted], axis=1, keepdims=1, select_last_index=1)
    return body.add("sample.token", "GatherND", [ids, place], batch_dims=1)


def _carried(source: Source, part: str) -> State:
    config = source.config
    at = [source.directions(k)[0]._replace(part=part).now for k in range(config.num_layers)]
    return [floats(f"{now}.{name}", ["B", config.hidden_size]) for name in "hc" for now in at]


def _layers(nodes: Nodes, source: Source, state: ir.Value) -> State:
    """(L, B, H) -> L of (B, H)."""
    rows = ((k, nodes.constant(f"l{k}.row", np.array(k))) for k in range(source.config.num_layers))
    return [nodes.add(f"l{k}.{state.name}", "Gather", [state, row], axis=0) for k, row in rows]


def _stacked(nodes: Nodes, name: str, rows: Sequence[ir.Value]) -> ir.Value:
    """L of (B, H) -> (L, B, H)."""
    axis = nodes.constant("head.layer_axis", np.array([0]))
    each = [nodes.add(f"l{k}.{name}", "Unsqueeze", [row, axis]) for k, row in enumerate(rows)]
    return nodes.join(f"head.{name}", each, axis=0)
