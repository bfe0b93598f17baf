"""Our own exports are told as what they were made: from the graph, with the metadata held against it."""

import itertools

import numpy as np
import onnx
import pytest

from lstmbench.export import Storage, export
from lstmbench.export.serialise import serialise, store
from lstmbench.export.source import of_head
from lstmbench.inspect import inspect
from lstmbench.model import folder
from lstmbench.model.weights import random_weights
from lstmbench.records import ModelConfig, ModelFolder

FORMS = [
    *((form, cell) for form in ("scan", "loop") for cell in ("full", "diagonal", "none")),
    *(("lstm", cell) for cell in ("diagonal", "none")),
]
HEADS = [("lm", 1, False), ("lm", 3, False), *itertools.product(["layer"], [1, 2], [False, True])]


def strip(proto):
    del proto.metadata_props[:]


@pytest.mark.parametrize(("head", "layers", "both"), HEADS)
@pytest.mark.parametrize(("form", "cell"), FORMS)
@pytest.mark.parametrize("square", [False, True])
def test_the_graph_alone_tells_what_was_exported(ours, change, *, form, cell, head, layers, both, square):
    sizes = {"num_layers": layers, "bidirectional": both} | ({"input_size": 6} if square else {})
    path = ours(form, cell, head, **sizes)
    assert inspect(path).disagreements == ()
    told = inspect(change(path, strip))
    assert (told.form, told.head, told.cell, told.precision) == (form, head, cell, "fp32")
    assert (told.hidden_size, told.num_layers, told.directions) == (6, layers, 2 if both else 1)
    assert (told.input_size, told.vocabulary_size) == (6 if square else 5, 9 if head == "lm" else None)
    assert told.contract == "state in and out: h_0 → h_n, c_0 → c_n"
    assert (told.inputs[0].name, told.inputs[0].time_axis) == ("input_ids" if head == "lm" else "x", 1)
    assert not [line for line in told.warnings if "frozen" in line]


@pytest.mark.parametrize(("form", "cell"), [f for f in FORMS if f[0] != "lstm"])
def test_each_direction_of_a_written_out_step_is_told(ours, form, cell):
    told = inspect(ours(form, cell, "layer", bidirectional=True, num_layers=2))
    assert [row.direction for row in told.recurrences] == ["forward", "reverse"] * 2


@pytest.mark.parametrize("form", ["scan", "loop"])
@pytest.mark.parametrize("cell", ["full", "diagonal"])
def test_peepholes_that_are_all_zero_compute_none_and_the_metadata_is_contradicted(ours, form, cell):
    def without(weights):
        return {name: np.zeros_like(w) if "weight_ch" in name else w for name, w in weights.items()}

    told = inspect(ours(form, cell, weights=without))
    assert told.cell == "none"
    (line,) = told.disagreements
    assert line.startswith(f"metadata says peephole {cell}, the graph says none (c times ")


def test_a_file_that_says_diagonal_without_p_is_contradicted(ours):
    told = inspect(ours("lstm", "none", said={"lstmbench.peephole": "diagonal"}))
    assert told.disagreements == ("metadata says peephole diagonal, the graph says none (no input P)",)


def test_a_file_that_says_diagonal_with_p_of_zeros_is_contradicted(ours):
    told = inspect(
        ours("lstm", "diagonal", weights=lambda w: {n: a * (0 if "weight_ch" in n else 1) for n, a in w.items()})
    )
    assert told.disagreements == ("metadata says peephole diagonal, the graph says none (P is all zero)",)


@pytest.mark.parametrize(
    ("name", "wrong"),
    [
        ("form", "lstm"),
        ("head", "layer"),
        ("precision", "int8"),
        ("hidden_size", "7"),
        ("input_size", "7"),
        ("num_layers", "3"),
        ("bidirectional", "true"),
        ("vocabulary_size", "8"),
    ],
)
def test_every_claim_that_is_wrong_is_told_and_no_other(ours, name, wrong):
    told = inspect(ours("scan", "full", said={f"lstmbench.{name}": wrong}))
    (line,) = told.disagreements
    assert line.startswith(f"metadata says {name} {wrong}, the graph says ")
    assert told.claims[name] == wrong


@pytest.mark.parametrize(("head", "layers", "both"), HEADS)
@pytest.mark.parametrize(("form", "cell"), FORMS)
def test_lengths_hide_nothing_of_what_a_graph_is(ours, change, *, form, cell, head, layers, both):
    path = ours(form, cell, head, lengths=True, num_layers=layers, bidirectional=both)
    assert inspect(path).disagreements == ()
    told = inspect(change(path, strip))
    assert (told.form, told.head, told.cell, told.precision) == (form, head, cell, "fp32")
    assert (told.hidden_size, told.num_layers, told.directions) == (6, layers, 2 if both else 1)
    assert told.contract == "state in and out: h_0 → h_n, c_0 → c_n"
    assert {state.name for row in told.recurrences for state in row.states} == {"h", "c"}


@pytest.mark.parametrize("cell", ["full", "diagonal", "none"])
def test_lengths_do_not_part_the_steps_of_an_unrolled_graph(ours, change, cell):
    path = ours("unrolled3", cell, lengths=True, num_layers=2)
    assert inspect(path).disagreements == ()
    told = inspect(change(path, strip))
    assert (told.form, told.cell, told.num_layers) == ("unrolled3", cell, 2)
    assert told.contract == "state in and out: h_0 → h_n, c_0 → c_n"


def test_lengths_that_are_claimed_and_not_taken_disagree(ours):
    told = inspect(ours("scan", "full", said={"lstmbench.lengths": "true"}))
    assert told.disagreements == ("metadata says lengths true, the graph says false",)


PRECISIONS = ("fp16", "int8", "int4", "int4a8")
WRITTEN = [
    (form, precision, head, layers, both)
    for form in ("lstm", "scan", "loop", "step", "unrolled5", "generate")
    for precision in PRECISIONS
    for head, layers, both in (("lm", 2, False), ("layer", 2, True))
    if (form, precision) not in {("lstm", "int4"), ("lstm", "int4a8"), ("generate", "fp16")}
    and (form, head) != ("generate", "layer")
]


@pytest.mark.parametrize(("form", "precision", "head", "layers", "both"), WRITTEN)
@pytest.mark.parametrize("cell", ["full", "diagonal"])
def test_every_form_in_every_precision_is_what_its_metadata_says(
    tmp_path, *, form, precision, head, layers, both, cell
):
    cell = "diagonal" if form == "lstm" else cell
    sizes = {"input_size": 5, "hidden_size": 6, "vocabulary_size": 9 if head == "lm" else 0}
    config = ModelConfig(head=head, peephole=cell, num_layers=layers, bidirectional=both, **sizes)
    source = of_head(head, config, random_weights(config, seed=3))
    path = tmp_path / "ours.onnx"
    store(serialise(source, form, precision, tmp_path), path)
    told = inspect(path)
    assert told.disagreements == ()
    assert (told.form, told.cell, told.precision) == (form, cell, precision)
    single = form == "step"  # one step says nothing of the way it walks
    assert (told.num_layers, told.directions) == ((None, None) if single else (layers, 2 if both else 1))


@pytest.fixture
def exported(tmp_path):
    """A model folder with a file that lies in two."""
    pytest.importorskip("onnxruntime")
    config = ModelConfig(head="layer", peephole="full", input_size=33, hidden_size=33)
    folder.write_config(tmp_path / "m", ModelFolder(model=config))
    folder.write_weights(tmp_path / "m", random_weights(config, seed=4), folder.WeightsNote(sha256=""))
    return export(tmp_path / "m", storage=Storage(external_data=True)).path


def test_data_that_is_not_the_graphs_is_told(exported):
    assert inspect(exported).disagreements == ()
    data = exported.with_name(exported.name + ".data")
    data.write_bytes(np.random.default_rng(0).bytes(data.stat().st_size))
    assert [line for line in inspect(exported).disagreements if "data_sha256" in line and data.name in line]


def test_a_file_that_was_changed_since_its_record_is_told(exported):
    proto = onnx.load(exported, load_external_data=False)
    proto.doc_string = "changed"
    exported.write_bytes(proto.SerializeToString())
    said = "layer-scan-fp32.json describes other bytes: the file was changed since it was exported"
    assert inspect(exported).disagreements == (said,)
    exported.with_suffix(".json").write_text("{}")
    assert inspect(exported).disagreements == ()


@pytest.mark.parametrize("lengths", [False, True])
@pytest.mark.parametrize(("form", "cell"), FORMS)
def test_attention_is_told_and_whether_it_has_a_mask(ours, change, form, cell, lengths):
    path = ours(form, cell, attention=True, num_layers=2, lengths=lengths)
    told = inspect(path)
    assert (told.attention, told.head, told.vocabulary_size, told.disagreements) == ("masked", "lm", 9, ())

    def unmask(proto):
        (softmax,) = (node for node in proto.graph.node if node.op_type == "Softmax")
        softmax.input[0] = "head.attention.scores"

    assert inspect(change(path, unmask)).attention == "not masked"


def test_a_file_that_claims_an_attention_that_it_has_not_is_told(ours):
    assert inspect(ours("lstm", "none")).attention is None
    told = inspect(ours("lstm", "none", said={"lstmbench.attention": "true"}))
    assert told.disagreements == ("metadata says attention true, the graph says false",)


def test_what_draws_does_not_attend(ours):
    assert inspect(ours("generate", "none")).attention is None


@pytest.mark.parametrize("precision", ["fp16", "int8", "int4"])
def test_attention_is_told_in_lower_precisions_too(tmp_path, precision):
    config = ModelConfig(head="lm", peephole="full", input_size=5, hidden_size=6, vocabulary_size=9, attention=True)
    source, file = of_head("lm", config, random_weights(config, seed=3)), tmp_path / "ours.onnx"
    store(serialise(source, "scan", precision, tmp_path), file)
    told = inspect(file)
    assert (told.attention, told.precision, told.disagreements) == ("masked", precision, ())
