"""Grids by name and from files: what they time, and what is wrong with those that cannot be."""

import pytest

from lstmbench.bench import NAMED, read_grid
from lstmbench.errors import LstmbenchError
from lstmbench.records import Layers, Workload

BLOCK = "[[workloads]]\nbatch = [1, 2]\ntime = [3]\n"


@pytest.fixture
def read(tmp_path):
    def read(text):
        (tmp_path / "my.toml").write_bytes(text if isinstance(text, bytes) else text.encode())
        return read_grid(str(tmp_path / "my.toml"))

    return read


def test_every_named_grid_can_be_read():
    assert all(read_grid(name) for name in NAMED)


def test_deepbench_has_the_published_sizes_for_every_cell():
    """Hidden size and T of inference/lstm in DeepBench's own kernels."""
    plan = read_grid("deepbench")
    assert {(layers.hidden_size, work.time) for layers, works in plan.items() for work in works} == {
        *((512, 25), (1024, 25), (2048, 25), (1536, 50), (256, 150))
    }
    assert all({work.batch for work in works} == {1, 2, 4} for works in plan.values())
    assert all({model.peephole for model in layers.models()} == {"none", "diagonal", "full"} for layers in plan)
    assert all(model.input_size == model.hidden_size for layers in plan for model in layers.models())


def test_a_file_says_what_is_timed_and_a_case_counts_once(read):
    assert read(BLOCK + BLOCK) == {None: tuple(Workload(kind="score", batch=b, time=3) for b in (1, 2))}


def test_a_region_is_a_workload_of_its_own_where_there_is_one(read):
    block = BLOCK.replace("[1, 2]", "[1]") + 'kind = ["decode", "generate"]\nregion = ["compute", "end-to-end"]\n'
    assert [(w.kind, w.region) for w in read(block)[None]] == [
        ("decode", "compute"),
        ("decode", "end-to-end"),
        ("generate", "end-to-end"),
    ]


def test_requests_and_mixed_lengths_are_said_beside_their_kinds(read):
    block = BLOCK.replace("[1, 2]", "[2]") + 'kind = ["score", "request"]\nnew = [4, 5]\nshortest = 2\n'
    assert [work.label for work in read(block)[None]] == ["score 2×2–3", "request 2×3+4", "request 2×3+5"]


@pytest.mark.parametrize(
    ("wrong", "why"),
    [
        ('kind = ["request"]', "requests need the number of new tokens"),
        ("new = [4]", "requests need the number of new tokens"),
        ("shortest = 4", "no longer than any T"),
        ('kind = ["decode"]\nshortest = 2', "rows of mixed lengths are scored"),
        ('kind = ["score"]\nshortest = 2', "two or more"),
        ('kind = ["request"]\nnew = [2]\nregion = ["compute"]', "end to end alone"),
        ('kind = ["generate"]\nregion = ["compute"]', "end to end alone"),
    ],
)
def test_what_a_kind_does_not_have_is_one_line(read, wrong, why):
    with pytest.raises(LstmbenchError, match=why):
        read(BLOCK + wrong)


def test_layers_of_its_own_are_apart_from_the_models_that_are_named(read):
    plan = read(BLOCK + BLOCK + 'layer = { peephole = ["full", "full"], hidden_size = 4, input_size = 2 }')
    ours = Layers(peephole=("full", "full"), hidden_size=4, input_size=2)
    assert list(plan) == [None, ours]
    (model,) = ours.models()
    assert (model.head, model.input_size, model.hidden_size) == ("layer", 2, 4)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "missing required field `workloads`"),
        ("workloads = []", "length >= 1"),
        ("[[workloads]]\nbatch = [1]\n", "missing required field `time`"),
        (BLOCK + "times = [4]", "unknown field `times`"),
        (BLOCK.replace("3", "0"), ">= 1"),
        (BLOCK + 'kind = ["sing"]', "Invalid enum value 'sing'"),
        (BLOCK.replace("2", "4194304"), "are the most"),
        (BLOCK + 'layer = { peephole = ["Full"], hidden_size = 4 }', "Invalid enum value 'Full'"),
        ("[[workloads]", "TOML|Expected"),
        (b"\xff", "utf-8"),
    ],
)
def test_what_is_no_grid_is_one_line(read, text, reason):
    with pytest.raises(LstmbenchError, match=reason) as told:
        read(text)
    assert "\n" not in str(told.value)


@pytest.mark.parametrize(("name", "reason"), [("large", "there is no grid 'large'"), ("gone.toml", "gone.toml")])
def test_what_is_not_there_is_one_line(name, reason):
    with pytest.raises(LstmbenchError, match=reason):
        read_grid(name)
