"""Layers that a grid asks for: made once, taken up again, and never in the place of something else."""

import pytest

from lstmbench.errors import CheckpointError
from lstmbench.flows.made import made
from lstmbench.model import folder
from lstmbench.records import Layers

SIZES = {"input_size": 2, "hidden_size": 3}


def make(path, **changes):
    said = []
    return made(Layers(**{"peephole": ("full", "diagonal"), **SIZES, **changes}), path, progress=said.append), said


def test_each_cell_is_a_folder_with_its_export(tmp_path):
    (full, diagonal), _ = make(tmp_path)
    assert (full.record.form, diagonal.record.form) == ("scan", "lstm")
    assert {full.model.head, diagonal.model.head} == {"layer"}
    assert full.path.parent == tmp_path / "full-2x3"


def test_what_is_there_is_taken_and_what_was_cut_short_is_finished(tmp_path):
    first, _ = make(tmp_path)
    again, said = make(tmp_path)
    assert (again, said) == (first, [])
    first[0].path.unlink()
    again, said = make(tmp_path)
    assert said == [f"exporting {tmp_path / 'full-2x3'}"]
    assert again[0].record.sha256 == first[0].record.sha256
    (tmp_path / "diagonal-2x3" / folder.WEIGHTS).unlink()  # a kill came before them
    assert make(tmp_path)[0] == first


def test_another_model_in_that_place_stays(tmp_path):
    make(tmp_path)
    (tmp_path / "full-2x3").rename(tmp_path / "full-2x3-L2")
    with pytest.raises(CheckpointError, match="full-2x3-L2 holds another model"):
        make(tmp_path, peephole=("full",), num_layers=2)
    assert folder.read(tmp_path / "full-2x3-L2").folder.model.num_layers == 1


def test_stacks_and_directions_have_names_of_their_own(tmp_path):
    paths = {
        make(tmp_path, peephole=("none",), **changes)[0][0].path.parent.name
        for changes in (
            {},
            {"num_layers": 2},
            {"bidirectional": True},
            {"num_layers": 2, "bidirectional": True},
        )
    }
    assert paths == {"none-2x3", "none-2x3-L2", "none-2x3-bidirectional", "none-2x3-L2-bidirectional"}
