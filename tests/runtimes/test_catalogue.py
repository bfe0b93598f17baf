import importlib.util
import sys
import types
from importlib.metadata import EntryPoint

import pytest

from lstmbench import runtimes
from lstmbench.errors import RuntimeMissingError
from lstmbench.runtimes import catalogue
from lstmbench.runtimes.numpy_float32 import NumpyFloat32


@pytest.fixture
def plugins(tmp_path, monkeypatch):
    """Entry points as an installed package declares them, and the modules that they name."""
    members = "def run(self): ...\n    def placement(self): ...\n    def close(self): ..."
    (tmp_path / "engine_of_tests.py").write_text(f"class Engine:\n    version = '1'\n    {members}\n")
    (tmp_path / "engine_that_breaks.py").write_text("raise OSError('libengine.so:\\n  cannot open')\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setitem(sys.modules, "engine_without_spec", types.ModuleType("engine_without_spec"))
    values = {
        "engine": "engine_of_tests:Engine",
        "broken": "engine_that_breaks:Engine",
        "gone": "engine_not_installed.sub:Engine",
        "malformed": "..:",
        "homeless": "engine_without_spec:Engine",
        "numpy": "engine_of_tests:Engine",
    }
    points = [EntryPoint(name=name, value=value, group=catalogue.GROUP) for name, value in values.items()]
    monkeypatch.setattr(catalogue, "entry_points", lambda group: points if group == "lstmbench.runtimes" else [])
    yield
    for module in ("engine_of_tests", "engine_that_breaks"):
        sys.modules.pop(module, None)


def hide(monkeypatch, package):
    """Make a package look as if it were not installed."""
    find = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None if name == package else find(name))


def test_ours_are_listed_in_order():
    assert [n for n in runtimes.names() if n in catalogue.ENGINES] == [
        "jax-cpu",
        "numpy",
        "onnx-reference",
        "onnxruntime-cpu",
        "onnxruntime-cuda",
        "onnxruntime-node",
        "onnxruntime-tensorrt",
        "onnxruntime-web-wasm",
        "onnxruntime-web-webgpu",
        "onnxruntime-webgpu",
        "openvino-cpu",
        "openvino-cpu-bf16",
        "tensorflow-cpu",
        "tensorflow-cpu-eager",
        "tensorflow-cpu-xla",
        "torch",
        "torch-compile",
        "tract-cpu",
    ]


def test_only_what_is_installed_is_available(monkeypatch):
    hide(monkeypatch, "torch")
    assert "torch" in runtimes.names()
    assert "torch" not in runtimes.available()
    assert "numpy" in runtimes.available()


def test_a_missing_package_is_named_by_its_extra(monkeypatch):
    hide(monkeypatch, "onnxruntime")
    with pytest.raises(RuntimeMissingError) as caught:
        runtimes.load("onnxruntime-cpu")
    assert str(caught.value) == "runtime 'onnxruntime-cpu' needs the extra 'cpu': pip install 'lstmbench[cpu]'"


def test_an_unknown_name_is_answered_with_the_known(monkeypatch):
    monkeypatch.setattr(catalogue, "entry_points", lambda **_: [])
    with pytest.raises(RuntimeMissingError) as caught:
        runtimes.load("tensorrt")
    known = ", ".join(sorted(catalogue.ENGINES))
    assert str(caught.value) == f"no runtime named 'tensorrt'; here: {known}"


def test_what_runs_graphs_is_listed_apart(monkeypatch):
    assert [n for n in runtimes.names(runtimes.GRAPHS) if n in catalogue.GRAPH_ENGINES] == [
        "onnx-reference",
        "onnxruntime-cpu",
        "onnxruntime-cuda",
        "onnxruntime-node",
        "onnxruntime-tensorrt",
        "onnxruntime-web-wasm",
        "onnxruntime-web-webgpu",
        "onnxruntime-webgpu",
        "openvino-cpu",
        "tract-cpu",
    ]
    hide(monkeypatch, "onnxruntime")
    assert "onnxruntime-cpu" not in runtimes.available(runtimes.GRAPHS)
    assert "onnx-reference" in runtimes.available(runtimes.GRAPHS)


def test_a_package_brings_what_runs_graphs_by_an_entry_point_of_its_own(tmp_path, monkeypatch):
    (tmp_path / "graphs_of_tests.py").write_text("class Engine:\n    def graph(self): ...\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    point = EntryPoint(name="engine", value="graphs_of_tests:Engine", group="lstmbench.graphs")
    monkeypatch.setattr(catalogue, "entry_points", lambda group: [point] if group == "lstmbench.graphs" else [])
    assert runtimes.load_graphs("engine").__name__ == "Engine"
    with pytest.raises(RuntimeMissingError, match="no runtime named 'engine'; here: jax-cpu, numpy"):
        runtimes.load("engine")


def test_a_package_brings_its_runtime_by_entry_point(plugins):
    assert "engine" in runtimes.names()
    assert "engine" in runtimes.available()
    assert "engine_of_tests" not in sys.modules, "to list is not to import"
    assert runtimes.load("engine").__name__ == "Engine"


def test_a_broken_entry_point_is_an_error_for_its_name_only(plugins):
    assert {"broken", "gone", "malformed", "homeless"} < set(runtimes.names())
    assert not {"gone", "malformed", "homeless"} & set(runtimes.available())
    assert runtimes.load("numpy") is NumpyFloat32


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("broken", "(engine_that_breaks:Engine) cannot be imported: OSError: libengine.so: cannot open"),
        ("gone", "(engine_not_installed.sub:Engine) cannot be imported: ModuleNotFoundError: No module named"),
        ("malformed", "(..:) cannot be imported: "),
    ],
)
def test_a_broken_entry_point_says_why_in_one_line(plugins, name, why):
    with pytest.raises(RuntimeMissingError) as caught:
        runtimes.load(name)
    assert f"runtime {name!r} {why}" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_nobody_takes_the_name_of_one_of_ours(plugins):
    assert runtimes.load("numpy") is NumpyFloat32


def test_who_writes_an_adapter_may_name_its_class(plugins):
    assert runtimes.load("engine_of_tests:Engine").__name__ == "Engine"
    with pytest.raises(RuntimeMissingError, match="cannot be imported"):
        runtimes.load(":")


def test_of_wheels_that_bring_one_module_the_one_that_is_installed_counts(monkeypatch):
    held = {"onnxruntime": "1.32.0"}

    def version(name):
        if name not in held:
            raise catalogue.PackageNotFoundError(name)
        return held[name]

    monkeypatch.setattr(catalogue, "version", version)
    assert "onnxruntime-webgpu" not in runtimes.available(), "its module is here, and another's"
    held["onnxruntime-webgpu"] = "1.27.0"
    assert "onnxruntime-webgpu" in runtimes.available()
