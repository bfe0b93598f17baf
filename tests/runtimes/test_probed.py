"""Engines that are asked for their answers alone: refused everywhere else, and what their tools write, read."""

import importlib
import subprocess
import sys
from pathlib import Path
from types import ModuleType, SimpleNamespace

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper

from lstmbench import environments, runtimes
from lstmbench.errors import CrashError, RuntimeMissingError, WorkerError
from lstmbench.probe import probe
from lstmbench.probe.features import features
from lstmbench.runtimes import GRAPHS, GROUP, PROBES, catalogue

PROBED = ("iree-cpu", "mnn-cpu", "opencv-cpu")
# a compiler tells files and values by names that differ each time
COMPILER = """Error invoking IREE compiler tool iree-compile
Diagnostics:
/tmp/tmpqpv5juz6/graph.mlir:17:13: error: failed to legalize operation 'torch.operator': %38:3 = "torch.operator"(%29)
 <{name = "onnx.Loop"}> loc("/tmp/tmpqpv5juz6/graph.mlir":17:13)"""
CONVERTER = "Start to Convert Other Model Format To MNN Model...\n[15:41:55] :220: These Op Not Support: ONNX::Scan \n"


@pytest.mark.parametrize("name", PROBED)
def test_they_are_known_to_the_probe_alone(name):
    assert name in runtimes.names(PROBES)
    assert catalogue.known(name).wheel, "an environment can be made of it"
    for group in (GROUP, GRAPHS):
        assert name not in runtimes.names(group)
        with pytest.raises(RuntimeMissingError, match=f"^runtime '{name}' is for 'lstmbench probe' alone: it.* P"):
            environments.demand(f"{name}==1.0", group)


def test_who_runs_any_graph_is_probed_too():
    assert set(runtimes.names(GRAPHS)) < set(runtimes.names(PROBES))


@pytest.fixture
def adapter(monkeypatch):
    """Import an adapter over modules that stand for its engine."""
    loaded = []

    def load(name, **modules):
        monkeypatch.setattr("importlib.metadata.version", lambda _: "1.0")
        for module, members in modules.items():
            stand_in = ModuleType(module)
            vars(stand_in).update(members)
            monkeypatch.setitem(sys.modules, module.replace("__", "."), stand_in)
        loaded.append(f"lstmbench.runtimes.{name}")
        return importlib.import_module(loaded[-1])

    yield load
    for module in loaded:
        sys.modules.pop(module, None)


@pytest.fixture
def path(tmp_path):
    """A file of one node."""
    ends = [helper.make_tensor_value_info(name, TensorProto.FLOAT, [2]) for name in "xy"]
    graph = helper.make_graph([helper.make_node("Neg", ["x"], ["y"])], "negated", ends[:1], ends[1:])
    onnx.save(helper.make_model(graph), tmp_path / "negated.onnx")
    return tmp_path / "negated.onnx"


class Net:
    """A network of either engine, which gives back what it takes."""

    def __init__(self, *_, **__):
        self.forward = lambda given: given if self.answers is None else self.answers
        self.setInput = lambda value, _: setattr(self, "answers", [-value])
        self.answers = None


class EngineError(Exception):
    """As OpenCV raises it."""


@pytest.fixture
def mnn(adapter):
    expr = {name: name for name in ("float", "double", "int", "int64", "uint8", "NCHW")}
    expr["const"] = lambda value, shape, *_: SimpleNamespace(read=lambda: -value.reshape(shape))
    nn = SimpleNamespace(create_runtime_manager=tuple, load_module_from_file=Net)
    return adapter("mnn_cpu", MNN={"nn": nn, "expr": SimpleNamespace(**expr)})


def converter(monkeypatch, status, written, *, leaves):
    """The program that converts ends so."""

    def run(command, **_):
        if leaves:
            Path(command[-1]).touch()
        return subprocess.CompletedProcess(command, status, written, "")

    monkeypatch.setattr(subprocess, "run", run)


def test_a_converter_that_fails_with_exit_status_0_is_refused_with_its_reason(mnn, monkeypatch, path):
    converter(monkeypatch, 0, CONVERTER, leaves=False)
    with pytest.raises(WorkerError) as caught:
        mnn.MnnCpu.graph(path, threads=1)
    assert str(caught.value) == ("the converter of mnn 1.0 fails with exit status 0: These Op Not Support: ONNX::Scan")


def test_a_converter_that_crashes_says_by_which_signal(mnn, monkeypatch, path):
    converter(monkeypatch, -11, "", leaves=True)
    with pytest.raises(CrashError, match=r"the converter of mnn 1\.0 ends by SIGSEGV: it does not say why"):
        mnn.MnnCpu.graph(path, threads=1)


def test_what_was_converted_answers_by_name(mnn, monkeypatch, path):
    converter(monkeypatch, 0, "Converted Success!", leaves=True)
    held = mnn.MnnCpu.graph(path, threads=1)
    assert held.run({"x": np.ones(2, np.float32)})["y"].tolist() == [-1, -1]
    with pytest.raises(WorkerError, match="it has no type float16 for x"):
        held.run({"x": np.ones(2, np.float16)})
    held._net.answers = []
    with pytest.raises(WorkerError, match="it gives 0 of 1 outputs"):
        held.run({"x": np.ones(2, np.float32)})


def test_opencv_answers_by_name_and_refuses_in_its_own_words(adapter, path):
    dnn = SimpleNamespace(readNetFromONNX=Net)
    engine = adapter("opencv_cpu", cv2={"dnn": dnn, "error": EngineError, "setNumThreads": lambda _: None})
    assert engine.OpenCvCpu.graph(path, threads=1).run({"x": np.ones(2)})["y"].tolist() == [-1, -1]

    def refuse(_):
        raise EngineError("OpenCV(5.0.0) /io/importer.cpp:1114: error: (-2:Unspecified error)\n Node [Scan]")

    dnn.readNetFromONNX = refuse
    with pytest.raises(WorkerError, match=r"^opencv 1\.0 cannot load it: \(-2:Unspecified error\) Node \[Scan\]$"):
        engine.OpenCvCpu.graph(path, threads=1)


def test_a_compiler_error_is_the_same_line_each_time(adapter):
    iree = adapter("iree_cpu", iree={"compiler": None, "runtime": None})
    assert iree._first(COMPILER) == "failed to legalize operation 'torch.operator': onnx.Loop"
    assert iree._first("no diagnostics\nat all") == "no diagnostics at all"
    assert iree._last("Traceback\nValueError: no\n\n") == "ValueError: no"


@pytest.mark.parametrize(
    ("name", "finding", "resembles"),
    [("iree-cpu", "wrong", "without P"), ("mnn-cpu", "refused", ""), ("opencv-cpu", "wrong", "with P read as i, f, o")],
)
def test_their_answers_with_p_are_what_they_were(name, finding, resembles, tmp_path):
    try:
        environments.choose(name)
    except RuntimeMissingError as error:
        pytest.skip(str(error))
    (asked,) = (row for row in features() if row.name == "P")
    (row,) = probe([name], run=tmp_path, rows=[asked], progress=lambda _: None)
    assert (row.finding, row.resembles) == (finding, resembles)
