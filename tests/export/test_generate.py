"""A graph that draws its tokens itself draws those of the reference; planted mistakes are refused."""

import functools
import itertools
import re

import numpy as np
import onnx
import onnx_ir as ir
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lstmbench.errors import ExportError
from lstmbench.export import export, find, generate, graph, nodes
from lstmbench.export.source import of_head
from lstmbench.model import reference, sampling, stimulus
from lstmbench.model.weights import random_weights
from lstmbench.parity import compare, compare_draws, expect_draws
from lstmbench.records import Decoding, ModelConfig

ort = pytest.importorskip("onnxruntime")

CELLS = ("full", "diagonal", "none")
LM = [{"num_layers": L, "bias": bias} for L, bias in itertools.product((1, 3), (True, False))]
LM += [{"tie_weights": True, "input_size": 6, "num_layers": 2}]
LM += [{"hidden_size": 9, "num_layers": L} for L in (1, 2)]  # as many units as tokens: their input is looked up
GREEDY, COOL, TOP = (Decoding(prompt=p, temperature=t, top_k=k) for p, t, k in ((1, 0.0, 0), (3, 0.7, 0), (2, 1.3, 3)))


def build(config, weights):
    return ir.to_proto(graph.build(of_head("lm", config, weights), "generate"))


def session(config, weights):
    options = ort.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    data = build(config, weights).SerializeToString()
    return ort.InferenceSession(data, options, providers=["CPUExecutionProvider"])


def drawn(loaded, prompt, state, uniform, how):
    feeds = {"input_ids": prompt, "h_0": state[0], "c_0": state[1], "uniform": uniform}
    feeds |= {"temperature": np.array(how.temperature, np.float32), "top_k": np.array(how.top_k)}
    return loaded.run(["tokens", "h_n", "c_n"], feeds)


def failures(loaded, config, weights, how, *, batch, count, seed=5):
    prompt = stimulus.tokens(config, batch=batch, time=how.prompt, seed=seed)
    state = stimulus.state(config, batch=batch, seed=seed)
    uniform = stimulus.uniform(batch=batch, time=count, seed=seed)
    tokens, *after = drawn(loaded, prompt, state, uniform, how)
    logits, *states = expect_draws(config, weights, prompt, state, tokens)
    verdicts = [compare_draws(tokens, logits, uniform, how)]
    verdicts += [
        compare(a, e.want, name=e.name, bound=e.bound, judged=e.judged) for a, e in zip(after, states, strict=True)
    ]
    return [verdict.reason for verdict in verdicts if not verdict.passed]


@pytest.mark.parametrize("sizes", LM, ids=str)
@pytest.mark.parametrize("peephole", CELLS)
def test_every_cell_draws_what_the_reference_could_draw_at_any_shape(config, peephole, sizes):
    made = config(peephole, **sizes)
    weights = random_weights(made, seed=3)
    loaded = session(made, weights)
    for how, (batch, count) in itertools.product((GREEDY, COOL, TOP), ((1, 1), (1, 2), (3, 7), (2, 33))):
        assert not failures(loaded, made, weights, how, batch=batch, count=count)


@functools.cache
def small(peephole):
    made = ModelConfig(head="lm", peephole=peephole, input_size=5, hidden_size=20, num_layers=2, vocabulary_size=20)
    weights = random_weights(made, seed=3)
    return made, weights, session(made, weights)


@settings(max_examples=60, deadline=None)
@given(
    st.sampled_from(CELLS),
    st.tuples(st.integers(1, 4), st.integers(1, 5), st.integers(1, 12)),
    st.sampled_from([0.0, 0.3, 1.0, 2.5]),
    st.integers(0, 25),
    st.integers(0, 2**31),
)
def test_tokens_are_those_of_the_reference_up_to_the_first_fragile_draw(peephole, sizes, temperature, top_k, seed):
    batch, time, count = sizes
    made, weights, loaded = small(peephole)
    prompt = stimulus.tokens(made, batch=batch, time=time, seed=seed)
    state = stimulus.state(made, batch=batch, seed=seed)
    uniform = stimulus.uniform(batch=batch, time=count, seed=seed)
    how = Decoding(prompt=time, temperature=temperature, top_k=top_k)
    got, *_ = drawn(loaded, prompt, state, uniform, how)
    run = functools.partial(reference.run, made, weights)
    want, _ = sampling.decode(run, prompt, state, uniform, temperature=temperature, top_k=top_k)
    logits, *_ = expect_draws(made, weights, prompt, state, want)
    for row in range(batch):
        for n in range(count):
            rule = {"temperature": temperature, "top_k": top_k, "tolerance": logits.bound}
            if sampling.draw(logits.want[row, n], float(uniform[row, n]), **rule).fragile:
                break
            assert got[row, n] == want[row, n]


def biased(bias):
    """A model whose logits are its bias, exactly."""
    made = ModelConfig(head="lm", peephole="none", input_size=2, hidden_size=3, vocabulary_size=len(bias))
    weights = random_weights(made, seed=1)
    weights["decoder.weight"][:] = 0
    weights["decoder.bias"][:] = bias
    return made, session(made, weights)


@pytest.mark.parametrize("top_k", [0, 1, 2, 3, 4, 5, 99])
@pytest.mark.parametrize("temperature", [0.0, 0.5, 1.0])
def test_of_equal_logits_the_lower_id_comes_first(temperature, top_k):
    bias = np.array([0.0, 1.0, 0.0, 1.0, 1.0, 0.0, -1.0], np.float32)
    made, loaded = biased(bias)
    uniform = ((np.arange(200) + 0.37) / 200).astype(np.float32)[None]
    zeros = (np.zeros(made.state_shape(1), np.float32),) * 2
    how = Decoding(prompt=1, temperature=temperature, top_k=top_k)
    tokens, *_ = drawn(loaded, np.array([[6]]), zeros, uniform, how)
    want = [sampling.take(bias, float(u), temperature=temperature, top_k=top_k) for u in uniform[0]]
    assert tokens[0].tolist() == want
    assert not temperature or top_k == 1 or len(set(want)) == min(top_k or 7, 7)


@pytest.mark.parametrize("top_k", [0, 1, 3])
def test_a_number_that_was_rounded_up_to_one_draws_the_last_of_the_kept(top_k):
    made, loaded = biased(np.array([3.0, 2.0, 1.0, 0.0, -1.0], np.float32))
    zeros = (np.zeros(made.state_shape(2), np.float32),) * 2
    uniform = np.ones((2, 4), np.float32)
    how = Decoding(prompt=1, temperature=1.0, top_k=top_k)
    tokens, *_ = drawn(loaded, np.zeros((2, 1), np.int64), zeros, uniform, how)
    assert (tokens == (top_k or 5) - 1).all()


def test_two_calls_make_one_where_the_last_token_is_the_next_prompt():
    made, _, loaded = small("full")
    prompt, state = stimulus.tokens(made, batch=3, time=4, seed=1), stimulus.state(made, batch=3, seed=1)
    uniform = stimulus.uniform(batch=3, time=9, seed=1)
    whole = drawn(loaded, prompt, state, uniform, COOL)
    first, *between = drawn(loaded, prompt, state, uniform[:, :4], COOL)
    second, *after = drawn(loaded, first[:, -1:], between, uniform[:, 4:], COOL)
    np.testing.assert_array_equal(np.concatenate([first, second], axis=1), whole[0])
    np.testing.assert_array_equal(after, whole[1:])


def nodes_of(onnx_graph):
    for node in onnx_graph.node:
        yield node
        for attribute in node.attribute:
            if attribute.HasField("g"):
                yield from nodes_of(attribute.g)


@pytest.mark.parametrize("sizes", LM, ids=str)
@pytest.mark.parametrize("peephole", CELLS)
def test_the_graph_is_valid_its_nodes_are_named_and_its_dimensions_stay_open(config, peephole, sizes):
    made = config(peephole, **sizes)
    proto = build(made, random_weights(made, seed=3))
    onnx.checker.check_model(proto, full_check=True)
    assert (proto.ir_version, proto.opset_import[0].version) == (10, 21)
    names = [node.name for node in nodes_of(proto.graph)]
    assert len(set(names)) == len(names)
    for name in names:
        assert re.fullmatch(r"(l\d+(\.prompt|\.tokens)?|head|sample)\.[a-z_0-9]+", name), name
    L, H = made.num_layers, made.hidden_size
    shapes = {
        value.name: [dim.dim_param or dim.dim_value for dim in value.type.tensor_type.shape.dim]
        for value in (*proto.graph.input, *proto.graph.output)
    }
    assert shapes == {
        "input_ids": ["B", "T"],
        "h_0": [L, "B", H],
        "c_0": [L, "B", H],
        "temperature": [],
        "top_k": [],
        "uniform": ["B", "N"],
        "tokens": ["B", "N"],
        "h_n": [L, "B", H],
        "c_n": [L, "B", H],
    }


def test_a_vocabulary_no_larger_than_the_units_is_projected_once_and_a_larger_one_at_each_step(config):
    for V, products in (
        (9, ["l0.tokens.input_projection"]),
        (10, ["l0.prompt.input_projection", "l0.input_projection"]),
    ):
        made = config("full", hidden_size=9, vocabulary_size=V)
        proto = build(made, random_weights(made, seed=0))
        names = [node.name for node in nodes_of(proto.graph) if node.name.endswith("input_projection")]
        assert names == products


def test_each_tensor_stands_in_the_file_once(config):
    made = config("full", tie_weights=True, input_size=6, num_layers=2)
    proto = build(made, random_weights(made, seed=0))
    inside = [attribute.g for node in proto.graph.node for attribute in node.attribute if attribute.HasField("g")]
    assert [len(body.initializer) for body in inside] == [0, 0]
    sizes = [list(tensor.dims) for tensor in proto.graph.initializer]
    assert sizes.count([9, 6]) == 1
    assert sizes.count([12, 24]) == 2  # the recurrence of each layer


def test_the_graph_is_right_without_the_optimiser():
    made, weights, _ = small("diagonal")
    options = ort.SessionOptions()
    options.graph_optimization_level = ort.GraphOptimizationLevel.ORT_DISABLE_ALL
    plain = ort.InferenceSession(build(made, weights).SerializeToString(), options, providers=["CPUExecutionProvider"])
    for how in (GREEDY, COOL, TOP):
        assert not failures(plain, made, weights, how, batch=3, count=20)


def test_an_export_is_kept_with_its_proof(model):
    exported = export(model("full", num_layers=2), form="generate")
    assert exported.path.name == "generate-fp32.onnx"
    assert find(exported.path.parent) == [exported]
    assert [check.output for check in exported.record.verified] == ["tokens", "h_n", "c_n"] * (20 + 12)
    assert all(check.max_error <= check.bound for check in exported.record.verified)


@pytest.mark.parametrize("precision", ["int8", "int4"])
def test_what_a_precision_costs_is_what_it_costs_form_step(model, precision):
    path, held_out = model("full", hidden_size=16), np.random.default_rng(0).integers(1, 9, 32 * 33)
    drawn, step = (export(path, form=f, precision=precision, held_out=held_out) for f in ("generate", "step"))
    assert drawn.record.quality == step.record.quality
    assert drawn.record.quality.perplexity_change
    assert drawn.record.form == "generate"
    assert export(path, form="generate", held_out=held_out).record.quality is None


def test_the_step_that_was_scored_is_not_kept(model):
    path = model("full")
    export(path, form="generate", precision="int8", held_out=np.random.default_rng(0).integers(1, 9, 32 * 33))
    assert [file.name for file in path.glob("*.onnx")] == ["generate-int8.onnx"]


@pytest.mark.parametrize("arguments", [{"head": "layer"}, {}], ids=str)
def test_bare_layers_draw_no_tokens(model, arguments):
    path = model("full", "lm" if arguments else "layer")
    with pytest.raises(ExportError, match=r"^form 'generate' draws tokens, bare layers have none: take head 'lm'"):
        export(path, form="generate", **arguments)
    assert not list(path.glob("*.onnx"))


# the mistakes that such a graph invites


def other_node(name, **change):
    """Another operator, other inputs or attributes for one node: each a function of what it was."""

    def plant(monkeypatch):
        add_many = nodes.Nodes.add_many

        def planted(self, at, operator, inputs, *, outputs, **attributes):
            if at == name:
                operator = change.get("operator", operator)
                inputs = change.get("inputs", lambda _self, same: same)(self, list(inputs))
                attributes = change.get("attributes", lambda same: same)(attributes)
            return add_many(self, at, operator, inputs, outputs=outputs, **attributes)

        monkeypatch.setattr(nodes.Nodes, "add_many", planted)

    return plant


def rolled(graph, inputs):
    """Each number stands where the next one should."""
    last, first, end, axis = (graph.constant(f"sample.by_{n}", np.array([n])) for n in (-1, 0, 999, 1))
    ahead = graph.add("sample.ahead", "Slice", [inputs[0], last, end, axis])
    return [
        graph.add(
            "sample.rolled",
            "Concat",
            [ahead, graph.add("sample.rest", "Slice", [inputs[0], first, last, axis])],
            axis=1,
        )
    ]


def constant(name, value):
    return lambda body, inputs: [inputs[0], body.constant(name, np.array(value))]


def forgets(kind):
    """The state of the first layer is not carried from one draw to the next."""

    def plant(monkeypatch):
        take = generate._take

        def planted(model, body, token, state, *, part=""):
            after = take(model, body, token, state, part=part)
            at = 0 if kind == "h" else model.source.config.num_layers
            if not part:
                after[at] = body.add("l0.lost", "Identity", [state[at]])
            return after

        monkeypatch.setattr(generate, "_take", planted)

    return plant


MISTAKES = {
    "numbers one draw late": other_node("sample.uniform_by_step", inputs=rolled),
    "temperature multiplies": other_node("sample.scaled", operator="Mul"),
    "temperature ignored": other_node("sample.temperature", inputs=lambda _body, same: [same[0], same[1], same[1]]),
    "greedy ignored": other_node("sample.k", inputs=lambda _body, same: [same[0], same[2], same[2]]),
    "always greedy": other_node("sample.k", inputs=lambda _body, same: [same[0], same[1], same[1]]),
    "top k ignored": other_node("sample.several", inputs=lambda _body, same: [same[0], same[1], same[1]]),
    "one too few kept": other_node("sample.at_most", inputs=constant("sample.two", 2)),
    "the least likely first": other_node("sample.top_k", attributes=lambda same: same | {"largest": 0}),
    "upper edges for lower ones": other_node("sample.edges", attributes=lambda same: same | {"exclusive": 0}),
    "the first place reached, not the last": other_node(
        "sample.place", attributes=lambda same: same | {"select_last_index": 0}
    ),
    "edges from the far end": other_node("sample.edges", attributes=lambda same: same | {"reverse": 1}),
    "the last token of the prompt twice": other_node(
        "head.prompt_turns", inputs=lambda body, same: [same[0], body.constant("head.none", np.array(0))]
    ),
    "the first token of the prompt last": other_node("head.last_token", inputs=constant("head.first", 0)),
    "the prompt not read": other_node("head.prompt_turns", inputs=lambda _body, same: [same[1], same[1]]),
    "h not carried": forgets("h"),
    "c not carried": forgets("c"),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_planted_mistakes_are_refused(model, monkeypatch, mistake):
    path = model("full", num_layers=2)
    MISTAKES[mistake](monkeypatch)
    with pytest.raises(ExportError, match=r"was not kept") as caught:
        export(path, form="generate")
    assert "\n" not in str(caught.value)
    assert not list(path.glob("generate*"))
