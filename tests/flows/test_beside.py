"""The files of an earlier run are found by their hash, or it is said which is not."""

import pytest
from msgspec.structs import replace

from lstmbench.errors import LstmbenchError
from lstmbench.flows import beside
from lstmbench.flows.beside import Baseline
from lstmbench.records import ModelConfig, without_baseline


@pytest.fixture
def kept(recorded, tmp_path, monkeypatch):
    """A model folder with one export, as `find` tells it."""
    folder = tmp_path / "good" / "mine"
    folder.mkdir(parents=True)
    (folder / "scan-fp32.onnx").touch()
    model = ModelConfig(head="lm", peephole="full", input_size=3, hidden_size=4, vocabulary_size=5)
    found = recorded(model, folder=folder, sha256="ab" * 32)
    monkeypatch.setattr(beside, "find", lambda _folder: [found])
    return found


def baseline(**sums):
    return Baseline("reports/old", {"mine/scan-fp32": "ab" * 32} | sums, {"numpy": "2"})


def test_the_kept_file_takes_part_under_a_name_of_its_own(kept, tmp_path):
    (found,) = beside.kept(baseline(), [kept], tmp_path / "good")
    assert found == replace(kept, baseline=True)
    assert (found.name, without_baseline(found.name)) == ("baseline/mine/scan-fp32", kept.name)


def test_a_model_called_baseline_is_none():
    assert without_baseline("baseline/scan-fp32") is None


def test_a_file_that_is_gone_is_named(kept, tmp_path):
    with pytest.raises(LstmbenchError, match=r"bad/mine/scan-fp32.onnx is not there, which reports/old timed"):
        beside.kept(baseline(), [kept], tmp_path / "bad")


def test_a_file_with_other_bytes_is_named(kept, tmp_path):
    with pytest.raises(LstmbenchError, match=r"mine/scan-fp32.onnx is not the file that reports/old timed"):
        beside.kept(baseline(**{"mine/scan-fp32": "cd" * 32}), [kept], tmp_path / "good")


def test_a_name_that_leads_elsewhere_is_not_followed(kept, tmp_path):
    sums = {"../good/mine/scan-fp32": "ab" * 32}
    with pytest.raises(LstmbenchError, match="is not there"):
        beside._find(Baseline("reports/old", sums, {}), *sums, tmp_path / "good")


def test_a_run_of_other_models_is_refused(kept, tmp_path):
    with pytest.raises(LstmbenchError, match=r"^nothing to hold against reports/old: it timed other/scan-fp32, and "):
        beside.kept(Baseline("reports/old", {"other/scan-fp32": "ab" * 32}, {}), [kept], tmp_path)


def test_the_run_that_would_be_written_is_refused(tmp_path):
    with pytest.raises(LstmbenchError, match="give the new run another --out"):
        beside.read(tmp_path, out=tmp_path / "." / "")
