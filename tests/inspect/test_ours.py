"""Our own exports are told as what they were made: from the graph, with the metadata held against it."""

import itertools

import numpy as np
import pytest

from lstmbench.inspect import inspect

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
