"""A planted mistake is found at the place where it was planted, with few calls; what is right has none."""

from collections.abc import Callable

import numpy as np
import pytest

from lstmbench import disk
from lstmbench.arrays import State
from lstmbench.check.differences.box import MOST_ROWS, Box
from lstmbench.check.differences.isolated import Model
from lstmbench.check.differences.search import Place, most_probes, search
from lstmbench.check.differences.wrong_runs import Run
from lstmbench.export.serialise import serialise
from lstmbench.export.source import Source
from lstmbench.model import folder, stimulus
from lstmbench.model.weights import expected_shapes, random_weights
from lstmbench.records import ExportedModel, ExportRecord, ModelConfig, ModelFolder
from lstmbench.worker.shapes import all_of_one_length

pytest.importorskip("onnxruntime")
H, T, B = 6, 12, 3
SEEDS = (1, 2, 3)
CELLS = ("full", "diagonal", "none")


@pytest.fixture
def written(tmp_path) -> Callable[..., ExportedModel]:
    """Write a model and its file, edited or not: what has no record of a proof, and a digest that fits."""

    def written(config, *, seed=1, form="scan", precision="fp32", lengths=False, edit=None, gain=1.0) -> ExportedModel:
        path = tmp_path / "tiny"
        weights = random_weights(config, seed=seed, gain=gain)
        folder.write_config(path, ModelFolder(model=config))
        folder.write_weights(path, weights, folder.WeightsNote(sha256=""))
        graph = serialise(Source(config, weights, lengths), form, precision, path)
        if edit is not None:
            edit(graph.graph, config)
        import onnx_ir as ir

        file = path / f"{form}-{precision}{'-lengths' if lengths else ''}.onnx"
        file.write_bytes(ir.to_proto(graph).SerializeToString())
        known = {"opset": 21, "ir_version": 10, "verified": (), "verified_with": "nothing", "weights_sha256": "0" * 64}
        what = {"form": form, "precision": precision, "lengths": lengths, "model": config}
        record = ExportRecord(file=file.name, sha256=disk.sha256(file, most_bytes=2**30), **what, **known)
        return ExportedModel(folder=str(path), record=record)

    return written


class Session:
    """A worker that needs no process."""

    def __init__(self, runtime, exported):
        self.runtime, self.exported = runtime, exported

    def run(self, inputs, state=None, *, lengths=None):
        batch, time = inputs.shape[:2]
        lengths = all_of_one_length(self.exported, batch=batch, time=time) if lengths is None else lengths
        given = {} if lengths is None else {"lengths": lengths}
        return self.runtime.run(inputs, state, **given)

    def generate(self, prompt, uniform, how, state=None):
        return self.runtime.generate(prompt, state, uniform, temperature=how.temperature, top_k=how.top_k)


@pytest.fixture
def find():
    """Search an export for its first difference, on ONNX Runtime or on a runtime that is given."""

    def find(exported, runtime=None, *, time=T, batch=B, state="random", chunks=None, ends=None) -> Place | None:
        from lstmbench.runtimes.onnxruntime_cpu import OnnxRuntimeCpu

        config = exported.model
        tensors = folder.read(disk.Path(exported.folder)).weights
        box = Box(Session(runtime or OnnxRuntimeCpu(exported, threads=1), exported), exported)
        start = stimulus.state(config, batch=batch, seed=8) if state == "random" else None
        inputs = stimulus.inputs(config, batch=batch, time=time, seed=7)
        if exported.record.lengths and ends is None:
            ends = stimulus.lengths(batch=batch, time=time, seed=7)
        run = Run(inputs, start, ends, chunks or (exported.steps or time,) * (time // (exported.steps or time)))
        model = Model(exported, {name: tensors[name] for name in expected_shapes(config)})
        found = search(box, model, run)
        assert box.probes <= most_probes(batch, time)
        return found

    return find


def lm(peephole, **sizes):
    sizes = {"input_size": 5, "hidden_size": H, "num_layers": 2, "vocabulary_size": 9} | sizes
    return ModelConfig(head="lm", peephole=peephole, **sizes)


def bare(peephole, **sizes):
    return ModelConfig(
        head="layer", peephole=peephole, **({"input_size": 5, "hidden_size": H, "num_layers": 2} | sizes)
    )


def change(name, edit):
    """An edit of one of the file's tensors, as it lies there."""
    import onnx_ir as ir

    def edited(graph, config):
        value = graph.initializers[name]
        array = value.const_value.numpy().copy()
        new = edit(array)
        value.const_value = ir.Tensor(np.ascontiguousarray(array if new is None else new), name=name)

    return edited


def put(at, value):
    def edit(array):
        array[at] = value

    return edit


def add(at, value):
    def edit(array):
        array[at] += value

    return edit


def columns(order):
    """Blocks of H columns, of which SCAN_GATES is the order, taken in another."""

    def edit(array):
        blocks = np.split(array, 4, axis=-1)
        return np.concatenate([blocks["ifog".index(gate)] for gate in order], axis=-1)

    return edit


def rows(order, of="iofg"):
    """The same of tensors that lie as the LSTM operator wants them, (D, G·H, …)."""

    def edit(array):
        blocks = np.split(array, array.shape[1] // H, axis=1)
        taken = [blocks[of.index(gate) + len(of) * n] for n in range(len(blocks) // len(of)) for gate in order]
        return np.concatenate(taken, axis=1)

    return edit


def together(*edits):
    def edited(graph, config):
        for edit in edits:
            edit(graph, config)

    return edited


FORMS = (("scan", False), ("loop", False), ("step", False), ("unrolled1", False), ("scan", True), ("unrolled4", True))
SOME = [("scan", False, seed) for seed in SEEDS] + [
    pytest.param(*form, 2, marks=[] if form[0] == "unrolled4" else pytest.mark.slow) for form in FORMS[1:]
]


@pytest.mark.parametrize("form", ["lstm", *dict.fromkeys(form for form, _ in FORMS), "unrolled4", "generate"])
@pytest.mark.parametrize("cell", CELLS)
@pytest.mark.parametrize("head", [lm, bare])
def test_what_is_right_has_no_difference(written, find, form, cell, head):
    if (form == "lstm" and cell == "full") or (form == "generate" and head is bare):
        pytest.skip("there is no such form")
    assert find(written(head(cell), form=form), chunks=(4, 4, 4) if form == "unrolled4" else None) is None


@pytest.mark.parametrize("precision", ["fp16", "int8", "int4", "int4a8"])
@pytest.mark.parametrize("cell", ["full", "diagonal"])
def test_what_is_right_in_a_lower_precision_has_none_either(written, find, cell, precision):
    big = lm(cell, hidden_size=32, input_size=32)
    assert find(written(big, form="scan", precision=precision)) is None
    if precision != "int4a8":
        assert find(written(big, form="step", precision=precision), chunks=(1,) * T) is None


@pytest.mark.parametrize("form", ["scan", "lstm", "unrolled4"])
@pytest.mark.parametrize("lengths", [False, True])
def test_both_directions_have_none(written, find, form, lengths):
    config = bare("diagonal", bidirectional=True)
    time = 4 if form == "unrolled4" else T
    assert find(written(config, form=form, lengths=lengths), time=time) is None


def chaotic(cell="full", **sizes):
    return bare(cell, **({"hidden_size": 9, "input_size": 3, "num_layers": 3} | sizes))


@pytest.mark.parametrize("gain", [20, 60])
@pytest.mark.parametrize("layers", [1, 3])
@pytest.mark.parametrize("form", ["scan", "unrolled16"])
def test_what_is_right_has_none_where_float32_itself_parts(written, find, form, layers, gain):
    """Two right runs of a chaotic cell part: behind the horizon that the check judges nothing is a difference."""
    for seed in (1, 2, 3, 4):
        exported = written(chaotic(num_layers=layers), form=form, gain=gain, seed=seed)
        assert find(exported, time=16, batch=3) is None
        if form == "scan":
            assert find(exported, time=16, batch=3, chunks=(5, 1, 10)) is None


class Forgets:
    """Runs right, but each call of several steps starts from a state of zeros."""

    def __init__(self, exported):
        from lstmbench.runtimes.onnxruntime_cpu import OnnxRuntimeCpu

        self.right = OnnxRuntimeCpu(exported, threads=1)

    def run(self, inputs, state):
        return self.right.run(inputs, state if inputs.shape[1] == 1 else None)


def test_how_steps_are_joined_is_still_judged_where_float32_itself_parts(written, find):
    exported = written(chaotic(), gain=60)
    found = find(exported, Forgets(exported), time=16)
    assert (found.part, found.step) == ("joining", 1)
    spoilt = find(exported, Spoils(exported), time=16)
    assert (spoilt.part, spoilt.got) == ("joining", None), "what is not finite is wrong behind the horizon too"


class Spoils(Forgets):
    """Runs right, but the last of many steps is not finite."""

    def run(self, inputs, state):
        output, after = self.right.run(inputs, state)
        if inputs.shape[1] > 12:
            output[:, -1] = np.nan
        return output, after


@pytest.mark.parametrize(("form", "lengths", "seed"), SOME)
@pytest.mark.parametrize(
    ("cell", "edit", "gates", "terms"),
    [
        ("full", change("l1.R", put(np.s_[H:], 0)), "ifgo", ("peephole",)),
        ("full", change("l1.R", put(np.s_[H:, H : 2 * H], 0)), "f", ("peephole",)),
        ("full", change("l1.R", add(np.s_[H + 2, 3 * H + 1], 1e-3)), "g", ("peephole",)),
        ("full", change("l1.R", add(np.s_[2, 2 * H + 1], 1e-3)), "o", ("recurrent weights",)),
        ("full", change("l1.W", add(np.s_[2, 1], 1e-3)), "i", ("input weights",)),
        ("full", change("l1.b", add(H + 1, 1e-3)), "f", ("bias",)),
        ("diagonal", together(*(change(f"l1.p_{g}", put(np.s_[:], 0)) for g in "ifo")), "ifo", ("peephole",)),
        ("diagonal", change("l1.p_o", put(np.s_[:], 0)), "o", ("peephole",)),
        ("diagonal", change("l1.p_i", add(2, 1e-3)), "i", ("peephole",)),
        ("none", change("l1.R", put(np.s_[:, :H], 0)), "i", ("recurrent weights",)),
        ("none", change("l1.R", columns("fiog")), "if", ("recurrent weights",)),
        ("none", change("l1.b", columns("ifgo")), "go", ("bias",)),
        ("none", change("l1.W", columns("iofg")), "fo", ("input weights",)),
    ],
)
def test_gate_and_term_are_those_that_were_planted(written, find, seed, form, lengths, *, cell, edit, gates, terms):
    found = find(written(lm(cell), seed=seed, form=form, lengths=lengths, edit=edit))
    assert found is not None
    assert (found.part, found.layer, found.step, found.gates, found.terms) == ("layer", 1, 0, gates, terms)
    assert abs(found.got - found.want) > found.allowed


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize(
    ("edit", "gates", "terms", "words"),
    [
        (change("l0.P", put(np.s_[:], 0)), "ifo", ("peephole",), "missing"),
        (change("l0.P", rows("ifo", "iof")), "fo", ("peephole",), "f has o's, o has f's"),
        (change("l0.P", rows("foi", "iof")), "if", ("peephole",), "wrong order"),
        (change("l0.R", lambda r: r.reshape(1, 4, H, H).swapaxes(2, 3).reshape(r.shape)), "ifgo",
         ("recurrent weights",), "transposed"),
        (together(*(change(f"l0.{name}", rows("ifgo")) for name in "WRB")), "fgo",
         ("input weights", "recurrent weights", "bias"), "wrong order"),
        (change("l0.B", put(np.s_[:], 0)), "ifgo", ("bias",), "missing"),
    ],
)  # fmt: skip
def test_mistakes_in_the_operator_are_named(written, find, seed, edit, *, gates, terms, words):
    found = find(written(lm("diagonal"), seed=seed, form="lstm", edit=edit))
    assert (found.part, found.layer, found.step, found.gates, found.terms) == ("layer", 0, 0, gates, terms)
    assert words in found.words


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("form", ["scan", "loop", "lstm"])
def test_a_lost_peephole_shows_from_the_first_step_whose_cell_is_not_zero(written, find, seed, form):
    edit = change("l0.P", put(np.s_[:, : 3 * H], 0)) if form == "lstm" else change("l0.p_f", put(np.s_[:], 0))
    if form == "lstm":
        edit = change("l0.P", put(np.s_[:, 2 * H :], 0))
    found = find(written(lm("diagonal"), seed=seed, form=form, edit=edit), state="none")
    assert (found.layer, found.step, found.gates, found.terms) == (0, 1, "f", ("peephole",))
    assert "right where c is 0" in found.words


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("form", ["scan", "step", "lstm"])
def test_a_wrong_row_of_the_embedding_shows_from_its_token_on(written, find, seed, form):
    config = lm("none", hidden_size=12)
    tokens = stimulus.inputs(config, batch=B, time=T, seed=7)
    token = int(tokens[:, -1][0])
    edit = change("embedding.weight", add(token, 0.01))
    found = find(written(config, seed=seed, form=form, edit=edit))
    first = min(np.argwhere(tokens == token)[:, 1])
    assert (found.layer, found.step, found.terms) == (0, first, ("input",))
    assert found.words == f"the embedding of token {token} is wrong"


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("form", ["scan", "step", "lstm"])
@pytest.mark.parametrize("zeroed", ["the embedding", "the weights"])
def test_an_embedding_of_zeros_is_not_told_from_weights_that_are_missing(written, find, seed, form, zeroed):
    """Both make every product 0; from outside nothing tells which."""
    tensor = "embedding.weight" if zeroed == "the embedding" else "l0.W"
    found = find(written(lm("none"), seed=seed, form=form, edit=change(tensor, put(np.s_[:], 0))))
    assert (found.part, found.layer, found.step) == ("layer", 0, 0)
    assert found.words == "input weights missing or the embedding all zeros"
    assert (found.gates, found.terms) == ("ifgo", ("input weights", "input"))


@pytest.mark.parametrize("seed", SEEDS)
def test_weights_that_are_missing_above_are_not_told_from_an_input_of_zeros(written, find, seed):
    found = find(written(lm("none"), seed=seed, edit=change("l1.W", put(np.s_[:], 0))))
    assert (found.layer, found.words) == (1, "input weights missing or its input all zeros")


@pytest.mark.parametrize("seed", SEEDS)
def test_a_layer_that_gets_another_input_is_told_from_one_with_wrong_weights(written, find, seed):
    def skip(graph, config):
        node = next(node for node in graph if node.name == "l1.input_projection")
        node.replace_input_with(0, next(node for node in graph if node.name == "l0.input_projection").inputs[0])

    found = find(written(bare("full", input_size=H, hidden_size=H), seed=seed, edit=skip))
    assert (found.layer, found.terms, found.words) == (1, ("input",), "its input is not the output of the layer below")


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize(
    ("edit", "term", "words"),
    [
        (change("decoder.bias", add(4, 1e-2)), "projection bias", "the projection's bias is wrong for token 4"),
        (change("decoder.bias", put(np.s_[:], 0)), "projection bias", "the projection's bias is missing"),
        (change("decoder.weight", add(np.s_[1, 4], 1e-2)), "projection weights", "weights are wrong for token 4"),
    ],
)
def test_what_is_wrong_behind_the_layers_is_told(written, find, seed, edit, term, words):
    found = find(written(lm("full"), seed=seed, edit=edit))
    assert (found.part, found.layer, found.step, found.terms) == ("output", None, 0, (term,))
    assert words in found.words


@pytest.mark.parametrize("seed", SEEDS)
def test_a_reverse_direction_has_a_name_of_its_own(written, find, seed):
    edit = change("l1.reverse.p_f", put(np.s_[:], 0))
    found = find(written(bare("diagonal", bidirectional=True), seed=seed, edit=edit))
    assert (found.layer, found.reverse, found.gates, found.terms) == (1, True, "f", ("peephole",))


@pytest.mark.parametrize("seed", SEEDS)
def test_a_reverse_output_that_is_not_turned_is_no_mistake_of_a_step(written, find, seed):
    def unturned(graph, config):
        import onnx_ir as ir

        node = next(node for node in graph if node.name == "l1.reverse.scan")
        node.attributes["scan_output_directions"] = ir.AttrInt64s("scan_output_directions", [0])

    found = find(written(bare("diagonal", bidirectional=True), seed=seed, edit=unturned))
    assert (found.part, found.step, found.layer, found.reverse) == ("joining", 1, 1, True)
    assert "layer 1, reverse, has its output not turned" in found.words


@pytest.mark.parametrize("seed", SEEDS)
def test_one_wrong_step_among_many_is_found_by_the_calls_of_growing_length(written, find, seed):
    """A Scan that counts: right up to its sixth step."""

    class Late:
        def __init__(self, exported):
            from lstmbench.runtimes.onnxruntime_cpu import OnnxRuntimeCpu

            self.inner = OnnxRuntimeCpu(exported, threads=1)

        def run(self, inputs, state):
            y, (h, c) = self.inner.run(inputs, state)
            if inputs.shape[1] > 5:
                y = y.copy()
                y[:, 5:] += 0.01
            return y, State(h, c)

    exported = written(lm("full"), seed=seed)
    found = find(exported, Late(exported))
    assert (found.part, found.step) == ("joining", 5)
    assert "runs of up to 5 steps are right, of 6 are wrong, first at step 5" in found.words


@pytest.mark.parametrize(("edit", "gates", "words"), [
    (change("l1.p_f", put(np.s_[:], 0)), "f", "peephole missing"),
    (change("l1.R", columns("fiog")), "if", "recurrent weights in the wrong order: i has f's, f has i's"),
])  # fmt: skip
def test_of_a_file_of_many_steps_a_known_mistake_is_named(written, find, edit, gates, words):
    found = find(written(lm("diagonal"), form="unrolled4", edit=edit), chunks=(4, 4, 4))
    assert (found.part, found.layer, found.gates, found.words) == ("layer", 1, gates, words)


def test_of_a_file_of_many_steps_an_unknown_mistake_has_its_layer(written, find):
    found = find(
        written(lm("diagonal"), form="unrolled4", edit=change("l1.W", add(np.s_[2, 1], 1e-2))), chunks=(4, 4, 4)
    )
    assert (found.part, found.layer, found.gates) == ("layer", 1, "")
    assert "in the call of steps 0 to 3" in found.words


def test_a_call_never_has_more_rows_than_memory_was_granted_for(written, find, monkeypatch):
    rows = []
    call = Box.call
    monkeypatch.setattr(
        Box, "call", lambda box, inputs, *rest, **more: rows.append(len(inputs)) or call(box, inputs, *rest, **more)
    )
    assert find(written(lm("full")), batch=40, time=30) is None
    assert max(rows) == MOST_ROWS


def of_attention(how):
    """An edit of the nodes of attention, by their names; none of a single step changes what it gives."""
    import onnx_ir as ir

    def edited(graph, config):
        how(ir, graph, {node.name.removeprefix("head.attention."): node for node in graph if node.name})

    return edited


def _no_mask(_ir, _graph, nodes):
    nodes["shares"].replace_input_with(0, nodes["scores"].outputs[0])


def _a_step(which):
    def shifted(ir, graph, nodes):
        one = graph.initializers["head.attention.one"]
        moved = ir.node("Add" if which == "late" else "Sub", [nodes["now"].outputs[0], one], name="moved")
        least = ir.node("Max", [moved.outputs[0], one], name="least")
        for node in (moved, least):
            graph.insert_before(nodes["later"], node)
        nodes["later"].replace_input_with(0, least.outputs[0])

    return shifted


def _other_axis(ir, _graph, nodes):
    nodes["shares"].attributes["axis"] = ir.AttrInt64("axis", 1)


@pytest.mark.parametrize(
    ("how", "words"),
    [
        (_no_mask, "attention reads later steps too: it has no causal mask"),
        (_a_step("late"), "attention reads one step too far: its mask is a step late"),
        (_a_step("early"), "attention reads no step itself: its mask is a step early"),
        (_other_axis, "attention has its softmax over the wrong axis"),
    ],
)
@pytest.mark.parametrize("lengths", [False, True])
def test_a_mistake_of_attention_is_named(written, find, how, words, lengths):
    config = lm("diagonal", attention=True)
    found = find(written(config, form="lstm", lengths=lengths, edit=of_attention(how)))
    assert (found.part, found.layer) == ("joining", None)
    assert words in found.words


def test_scores_that_are_not_scaled_are_named(written, find):
    edit = change("head.attention.scale", np.ones_like)
    assert "scores that are not scaled by 1/√H" in find(written(lm("full", attention=True), edit=edit)).words


def test_a_wrong_weight_of_attention_is_seen_in_a_single_step(written, find):
    edit = change("attention.combine.weight", put((0, 0), 1.0))
    found = find(written(lm("none", attention=True), form="lstm", edit=edit))
    assert (found.part, found.terms) == ("output", ("attention", "projection"))


@pytest.mark.parametrize("lengths", [False, True])
@pytest.mark.parametrize("cell", ["full", "diagonal"])
def test_what_attends_rightly_has_no_difference(written, find, cell, lengths):
    assert find(written(lm(cell, attention=True), lengths=lengths)) is None
