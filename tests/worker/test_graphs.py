"""Any ONNX graph in a process of its own: what it reports is told apart from what it dies of."""

from pathlib import Path

import numpy as np
import onnx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from onnx import TensorProto, helper, numpy_helper

from lstmbench.errors import CrashError, RuntimeMissingError, WorkerError
from lstmbench.records import Placement
from lstmbench.worker import GraphWorker, named

pytestmark = pytest.mark.usefixtures("fakes")

ALL = (
    "bool",
    "int8",
    "int16",
    "int32",
    "int64",
    "uint8",
    "uint16",
    "uint32",
    "uint64",
    "float16",
    "float32",
    "float64",
)
X = {"x": np.zeros((2, 3), np.float32)}
NOWHERE = Path("somewhere/any.onnx")


def ask(name, inputs=X, **options):
    with GraphWorker(f"fakes:{name}", NOWHERE, **options) as worker:
        return worker.run(inputs)


@settings(deadline=None)  # a shared machine may pause anywhere
@given(
    hnp.arrays(
        st.sampled_from([np.dtype(name).newbyteorder(order) for name in ALL for order in "<>"]),
        hnp.array_shapes(min_dims=0, min_side=0, max_dims=4),
    ),
    st.booleans(),
)
def test_arrays_of_every_type_and_shape_arrive_as_they_were_sent(array, transposed):
    array = array.T if transposed else array
    again = named.unpack(named.pack({"a": array}))["a"]
    assert again.dtype == array.dtype.newbyteorder("=")
    assert again.shape == array.shape
    assert again.tobytes() == array.astype(again.dtype).tobytes()
    assert again.flags.writeable


def test_a_process_takes_and_gives_arrays_of_every_type():
    inputs = {name: np.ones((2, 0, 3) if name == "int8" else (2, 1), name) for name in ALL} | {"point": np.float32(2)}
    inputs["point"] = np.array(2, np.float32)
    outputs = ask("Graph", inputs)
    assert list(outputs) == list(inputs)
    for name, array in inputs.items():
        assert outputs[name].dtype == array.dtype
        assert np.array_equal(outputs[name], array)
        assert outputs[name].shape == array.shape


def test_the_worker_says_what_it_holds():
    with GraphWorker("fakes:Graph", NOWHERE, threads=2) as worker:
        assert worker.info.version == "1.0"
        assert worker.info.placement == (Placement(provider="Fake", operator="LSTM", nodes=2),)
        assert len(worker.info.code_sha256) == 64


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("GraphSegfaults", "crashed (SIGSEGV) while running any.onnx (x (2, 3))"),
        ("GraphSegfaultsAtLoad", "crashed (SIGSEGV) while loading any.onnx"),
        ("GraphIsKilled", "was killed (SIGKILL), perhaps for want of memory while running any.onnx (x (2, 3))"),
        ("GraphExits", "exited (status 0) while running any.onnx (x (2, 3))"),
        ("GraphWritesIntoTheChannel", "wrote into the worker's own channel while running any.onnx (x (2, 3))"),
    ],
)
def test_what_a_process_dies_of_is_a_crash(name, message):
    with pytest.raises(CrashError) as caught:
        ask(name)
    assert str(caught.value) == f"runtime 'fakes:{name}' {message}"


def test_silence_is_a_crash():
    with GraphWorker("fakes:GraphHangs", NOWHERE) as worker:
        worker.timeout_s = 0.75
        with pytest.raises(CrashError, match=r"gave no answer within 0\.75 s while running"):
            worker.run(X)


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("GraphRaises", "failed while running any.onnx (x (2, 3)): ValueError: no kernel for LSTM(99)"),
        ("GraphRaisesAtLoad", "failed while loading any.onnx: NotImplementedError: no such operator"),
        ("GraphGivesText", "TypeError: y is of type <U1: a worker moves arrays of numbers and of truth values alone"),
        ("GraphGivesAList", "TypeError: y is of type list: a worker moves arrays of numbers and of truth values alone"),
    ],
)
def test_what_a_process_reports_is_no_crash(name, message):
    with pytest.raises(WorkerError) as caught:
        ask(name)
    assert not isinstance(caught.value, CrashError)
    assert str(caught.value).endswith(message)


def test_more_than_a_frame_holds_is_refused_on_either_side():
    too_much = {"x": np.broadcast_to(np.float32(0), (2**29,))}  # 2 GiB that take no memory
    with pytest.raises(WorkerError, match=r"^x take 2,.*MiB, a worker moves at most"):
        named.pack(too_much)
    with pytest.raises(WorkerError, match=r"^y take 2,.*MiB"):
        ask("GraphGivesTooMuch")


def test_inputs_of_no_number_are_refused_before_they_are_sent():
    with GraphWorker("fakes:Graph", NOWHERE) as worker:
        with pytest.raises(TypeError, match="x is of type <U1"):
            worker.run({"x": np.array(["a"])})
        assert worker.run(X)["x"].shape == (2, 3)


def test_what_runs_no_graphs_is_no_runtime_for_them():
    with pytest.raises(RuntimeMissingError, match=r"'fakes:Echo' \(fakes:Echo\) is not one: it lacks graph$"):
        ask("Echo")
    with pytest.raises(
        RuntimeMissingError, match=r"^no runtime named 'numpy' that runs any graph; here: iree-cpu, mnn-cpu, onnx-refer"
    ):
        GraphWorker("numpy", NOWHERE)


def sums(path, *, dtype, external=False):
    """y = x + w, x (N, 2)."""
    kind = helper.np_dtype_to_tensor_dtype(np.dtype(dtype))
    w = numpy_helper.from_array(np.array([1, 2], dtype), "w")
    graph = helper.make_graph(
        [helper.make_node("Add", ["x", "w"], ["y"], name="sum")],
        "sums",
        [helper.make_tensor_value_info("x", kind, ["N", 2])],
        [helper.make_tensor_value_info("y", kind, ["N", 2])],
        [w],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=10)
    beside = {"save_as_external_data": True, "location": "w.bin", "size_threshold": 0} if external else {}
    onnx.save(model, path, **beside)
    return path


@pytest.mark.parametrize("runtime", ["onnxruntime-cpu", "onnx-reference"])
@pytest.mark.parametrize("external", [False, True])
def test_our_runtimes_run_a_file_that_we_did_not_write(tmp_path, runtime, external):
    with GraphWorker(runtime, sums(tmp_path / "sums.onnx", dtype=np.float32, external=external)) as worker:
        for rows in (1, 3):
            got = worker.run({"x": np.ones((rows, 2), np.float32)})["y"]
            assert got.tolist() == [[2, 3]] * rows
            assert got.dtype == np.float32
        placed = {(p.provider, p.operator) for p in worker.info.placement}
    assert placed == ({("CPUExecutionProvider", "Add")} if runtime == "onnxruntime-cpu" else set())


@pytest.mark.parametrize("runtime", ["onnxruntime-cpu", "onnx-reference"])
@pytest.mark.parametrize("dtype", ["float64", "int64", "float16", "int32"])
def test_our_runtimes_keep_the_types_of_a_file(tmp_path, runtime, dtype):
    with GraphWorker(runtime, sums(tmp_path / "sums.onnx", dtype=dtype)) as worker:
        assert worker.run({"x": np.ones((1, 2), dtype)})["y"].dtype == dtype


@pytest.mark.parametrize("runtime", ["onnxruntime-cpu", "onnx-reference"])
def test_a_number_without_axes_comes_back_as_an_array(tmp_path, runtime):
    graph = helper.make_graph(
        [helper.make_node("ReduceSum", ["x"], ["y"], keepdims=0)],
        "sum",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["N"])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, [])],
    )
    path = tmp_path / "sum.onnx"
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=10), path)
    with GraphWorker(runtime, path) as worker:
        assert worker.run({"x": np.ones(3, np.float32)})["y"].shape == ()


@pytest.mark.parametrize("runtime", ["onnxruntime-cpu", "onnx-reference"])
def test_what_our_runtimes_refuse_they_report(tmp_path, runtime):
    path = tmp_path / "bad.onnx"
    path.write_bytes(b"no graph")
    with pytest.raises(WorkerError, match=rf"^runtime '{runtime}' failed while loading bad\.onnx: ") as caught:
        GraphWorker(runtime, path)
    assert not isinstance(caught.value, CrashError)
    z, message = {"z": np.ones((1, 2), np.float32)}, r"failed while running sums\.onnx \(z \(1, 2\)\)"
    path = sums(tmp_path / "sums.onnx", dtype=np.float32)
    with GraphWorker(runtime, path) as worker, pytest.raises(WorkerError, match=message):
        worker.run(z)
