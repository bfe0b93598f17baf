"""The vectors as others read them: onnx's own loader and runner, with ONNX Runtime as the backend."""

import unittest

import numpy as np
import onnx
import pytest
from onnx import numpy_helper
from onnx.backend.test.loader import load_model_tests

from lstmbench.errors import DiskError
from lstmbench.mistakes import right
from lstmbench.probe import write_vectors
from lstmbench.probe.dataset import case_name
from lstmbench.probe.features import features

REFUSED = {"layout=1", "layout=1, P", "double", "double, P"}
WRONG = {"clip of C_t", "clip of C_t, P", "row of length 0", "T = 0"}
ABORTS = {"B = 0"}  # the process, and the tests with it


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    path = tmp_path_factory.mktemp("data") / "lstm"
    write_vectors(path)
    return path


def suite(folder, monkeypatch):
    """Every case of the folder as a test of onnx's own runner."""
    backend = pytest.importorskip("onnxruntime.backend")
    from onnx.backend.test import runner

    def only_ours(kind):
        return load_model_tests(str(folder.parent), folder.name) if kind == "real" else []

    monkeypatch.setattr(runner, "load_model_tests", only_ours)
    # com.microsoft is none of ONNX's own domains
    monkeypatch.setattr(backend.backend.OnnxRuntimeBackend, "allowReleasedOpsetsOnly", False)
    return runner.Runner(backend, __name__).test_cases["OnnxBackendRealModelTest"]


def outcome(cases, feature):
    test = cases(f"{case_name(feature)}_cpu")
    result = unittest.TestResult()
    test.run(result)
    assert not result.skipped
    return "failed" if result.failures else "refused" if result.errors else "passed"


def test_onnxs_own_runner_passes_what_is_right_and_fails_what_is_wrong(folder, monkeypatch):
    cases = suite(folder, monkeypatch)
    for row in [row for row in features() if row.name not in ABORTS]:
        want = "refused" if row.name in REFUSED else "failed" if row.name in WRONG else "passed"
        assert outcome(cases, row.name) == want, row.name


def test_onnxs_own_runner_fails_a_runtime_that_drops_p(folder, tmp_path, monkeypatch):
    for name in ("P_i", "P", "fp16, P", "int8 MatMulInteger, P"):
        case = tmp_path / "lstm" / case_name(name)
        case.parent.mkdir(exist_ok=True)
        case.symlink_to(folder / case_name(name))
    model = onnx.load(folder / case_name("P") / "model.onnx")
    for tensor in model.graph.initializer:
        if tensor.name == "P":
            tensor.CopyFrom(numpy_helper.from_array(np.zeros_like(numpy_helper.to_array(tensor)), "P"))
    copy = tmp_path / "lstm" / case_name("P")
    copy.unlink()
    copy.mkdir()
    (copy / "data.json").write_bytes((folder / case_name("P") / "data.json").read_bytes())
    (copy / "test_data_set_0").symlink_to(folder / case_name("P") / "test_data_set_0")
    onnx.save(model, copy / "model.onnx")
    cases = suite(tmp_path / "lstm", monkeypatch)
    assert outcome(cases, "P_i") == "passed"
    assert outcome(cases, "P") == "failed"


def test_each_case_holds_its_sizes_with_names_in_the_order_of_the_graph(folder):
    for row in features():
        case = folder / case_name(row.name)
        graph = onnx.load(case / "model.onnx").graph
        for n, call in enumerate(row.cases):
            read = {}
            for kind, values in (("input", graph.input), ("output", graph.output)):
                for m, value in enumerate(values):
                    tensor = onnx.load_tensor(case / f"test_data_set_{n}" / f"{kind}_{m}.pb")
                    assert tensor.name == value.name
                    assert tensor.data_type == value.type.tensor_type.elem_type
                    read[value.name] = numpy_helper.to_array(tensor)
            assert np.array_equal(read["X"], call.tensors["X"])
            assert np.array_equal(read["Y"], right(call)[0].astype(read["Y"].dtype))
        assert len(list(case.glob("test_data_set_*"))) == len(row.cases)


def test_every_model_is_valid_and_loads_in_old_runtimes(folder):
    for path in folder.glob("*/model.onnx"):
        model = onnx.load(path)
        onnx.checker.check_model(model, full_check=True)
        assert model.ir_version == 10
        assert {entry.domain: entry.version for entry in model.opset_import}[""] == 21


def test_names_are_their_own_and_begin_as_the_runner_wants_them():
    names = [case_name(row.name) for row in features()]
    assert len(set(names)) == len(names)
    assert all(name.startswith("test_lstm") for name in names)
    assert case_name("LSTM") == "test_lstm"
    assert case_name("clip of C_t, P") == "test_lstm_clip_of_c_t_p"


def test_the_same_bytes_each_time(folder, tmp_path):
    write_vectors(tmp_path / "again")
    for path in folder.rglob("*.*"):
        assert (tmp_path / "again" / path.relative_to(folder)).read_bytes() == path.read_bytes()


@pytest.mark.parametrize("kind", ["file", "folder"])
def test_what_is_there_is_kept(tmp_path, kind):
    there = tmp_path / "there"
    if kind == "file":
        there.write_text("mine")
    else:
        there.mkdir()
        (there / "mine").write_text("mine")
    with pytest.raises(DiskError, match="there already and is kept"):
        write_vectors(there)
    assert (there if kind == "file" else there / "mine").read_text() == "mine"


def test_nothing_is_left_of_a_write_that_fails(tmp_path, monkeypatch):
    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("lstmbench.probe.dataset._write_set", full)
    with pytest.raises(DiskError, match="the disk is full"):
        write_vectors(tmp_path / "new")
    assert not list(tmp_path.iterdir())


def test_an_empty_folder_is_taken(tmp_path):
    (tmp_path / "empty").mkdir()
    assert len(write_vectors(tmp_path / "empty")) == len(features())
