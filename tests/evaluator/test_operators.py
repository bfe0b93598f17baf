"""Operators of which `onnx.reference` is no oracle: by hand in NumPy, and on an engine."""

import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from onnx import TensorProto, helper, numpy_helper
from onnx.reference import ReferenceEvaluator

from lstmbench.errors import GraphError
from lstmbench.evaluator import Evaluator
from lstmbench.parity.graphs import GraphBound

FLOAT = TensorProto.FLOAT
RNG = np.random.default_rng(3)


def f32(*shape):
    return RNG.standard_normal(shape).astype(np.float32)


def one(op, *constants, opset=21, inputs=None, **told):
    """A file of one operator: x, and constants behind it."""
    held = {f"k{n}": array for n, array in enumerate(constants)}
    node = helper.make_node(op, inputs or ["x", *held], ["y"], name="n", **told)
    ports = [helper.make_tensor_value_info(name, FLOAT, None) for name in "xy"]
    tensors = [numpy_helper.from_array(array, name) for name, array in held.items()]
    graph = helper.make_graph([node], "g", ports[:1], ports[1:], tensors)
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)], ir_version=9)


def run(model, x, **how):
    return Evaluator(model, **how).run({"x": x})["y"]


def on_an_engine(model, x):
    ort = pytest.importorskip("onnxruntime")
    return ort.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"]).run(None, {"x": x})[0]


RIGHT = {
    "LRN of fewer rows than channels": (one("LRN", size=3, alpha=0.3), f32(2, 7, 3, 3)),
    "LRN of more rows than channels": (one("LRN", size=5, alpha=0.3), f32(9, 4, 2, 2)),
    "the norm of magnitudes": (one("LpNormalization", p=1, axis=1), f32(4, 5)),
    "GELU by tanh": (one("Gelu", approximate="tanh"), f32(50)),
    "GELU": (one("Gelu"), f32(50)),
    "groups": (one("GroupNormalization", f32(4), f32(4), num_groups=2), f32(3, 4, 5)),
    "mean and variance": (one("MeanVarianceNormalization"), f32(2, 3, 4, 4)),
    "a layer": (one("LayerNormalization", f32(6), f32(6), axis=-1), f32(2, 3, 6)),
    "an instance": (one("InstanceNormalization", f32(3), f32(3)), f32(2, 3, 6)),
    "a resized image": (
        one("Resize", np.array([1, 1, 1.5, 2], np.float32), inputs=["x", "", "k0"], mode="cubic"),
        f32(1, 2, 6, 6),
    ),
    "a logarithm of a sum": (one("ReduceLogSumExp", np.array([1])), f32(3, 200)),
    "a mean over two axes": (one("ReduceMean", np.array([0, -1]), keepdims=0), f32(3, 4, 5)),
    "a sum of an attribute's axes": (one("ReduceSum", opset=11, axes=[1]), f32(3, 4, 5)),
    "indices that are floats": (
        one("OneHot", np.float32(4), np.array([0, 1], np.float32)),
        np.array([0.4, 1.0, 3.7, -1.2], np.float32),
    ),
}


@pytest.mark.parametrize("name", RIGHT)
def test_an_operator_is_what_an_engine_makes_of_it(name):
    model, x = RIGHT[name]
    want = run(model, x)
    assert want.dtype == np.float64
    # thirty terms of some roundings each
    assert np.abs(on_an_engine(model, x) - want).max() < 64 * 2**-24 * max(1, np.abs(want).max())
    for rng in (None, np.random.default_rng(1)):
        single = Evaluator(model, float64=False).run({"x": x}, rng=rng)["y"]
        assert single.dtype == np.float32
        assert np.abs(single - want).max() < 64 * 2**-24 * max(1, np.abs(want).max())


def test_a_transform_counts_the_roundings_of_its_angles():
    """ONNX Runtime's is off by eighty roundings at thirty points; one of a frequency is off by far more."""
    model, x = one("DFT", opset=19), f32(1, 30, 1)
    expected = GraphBound(model).expect({"x": x})["y"]
    off = np.abs(on_an_engine(model, x) - expected.want).max()
    assert off < expected.bound < 1e-3 * np.abs(expected.want).max()


@pytest.mark.parametrize("name", ["LRN of more rows than channels", "LRN of fewer rows than channels"])
def test_the_package_is_no_oracle_of_lrn(name):
    model, x = RIGHT[name]
    try:
        (theirs,) = ReferenceEvaluator(model).run(None, {"x": x})
    except IndexError:
        return
    assert np.abs(theirs - run(model, x)).max() > 1e-3


def test_a_long_sum_takes_an_order_in_float32():
    """Term after term, as the plainest engine does: in pairs, as NumPy adds, it would be off by far less."""
    model, x = one("ReduceSum", np.array([0])), np.abs(f32(100_000))
    want, single = run(model, x), Evaluator(model, float64=False)
    runs = [single.run({"x": x}, rng=np.random.default_rng(n))["y"] for n in range(4)]
    assert len({run.tobytes() for run in runs}) > 1
    assert max(np.abs(run - want).max() for run in runs) > 10 * np.abs(x.sum() - want).max()


@pytest.mark.parametrize("opset", [11, 13])
def test_axes_that_are_not_there_are_refused_by_the_node(opset):
    model = one("ReduceSum", opset=11, axes=[5]) if opset == 11 else one("ReduceSum", np.array([5]), opset=13)
    with pytest.raises(GraphError, match=r"node 'n' \(ReduceSum\): ValueError: axes \[5\] are not those of a shape"):
        run(model, f32(3, 4))


@pytest.mark.parametrize(
    ("scales", "told", "words"),
    [
        ([1.0, 0.6], {"coordinate_transformation_mode": "align_corners"}, "align_corners at scales that give no whole"),
        ([1.0, 2.3], {}, "scales that give whole sizes but for rounding"),
    ],
)
def test_sizes_that_the_standard_leaves_open_are_refused(scales, told, words):
    model = one("Resize", np.array(scales, np.float32), inputs=["x", "", "k0"], mode="linear", **told)
    with pytest.raises(GraphError, match=rf"node 'n' \(Resize\): ValueError: {words}"):
        run(model, f32(4, 30 if "2.3" in str(scales) else 6))


def test_an_unpooling_to_a_shape_is_refused_by_its_name():
    model = one("MaxUnpool", np.zeros((1, 1, 2, 2), np.int64), np.array([1, 1, 5, 5]), kernel_shape=[2, 2])
    with pytest.raises(GraphError, match=r"node 'n' \(MaxUnpool\) has output_shape, where implementations differ"):
        Evaluator(model)


def test_a_function_of_the_standard_in_a_body_is_written_out_too():
    ports = [helper.make_tensor_value_info(name, FLOAT, None) for name in ("s", "t", "s_", "u")]
    step = helper.make_graph(
        [helper.make_node("Identity", ["s"], ["s_"]), helper.make_node("Gelu", ["t"], ["u"], approximate="tanh")],
        "b",
        ports[:2],
        ports[2:],
    )
    scan = helper.make_node("Scan", ["zero", "x"], ["last", "y"], body=step, num_scan_inputs=1)
    outside = [helper.make_tensor_value_info(name, FLOAT, None) for name in "xy"]
    zero = numpy_helper.from_array(np.float32(0), "zero")
    graph = helper.make_graph([scan], "g", outside[:1], outside[1:], [zero])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 21)], ir_version=9)
    x = f32(3, 5)
    want = 0.5 * x * (1 + np.tanh(np.sqrt(2 / np.pi) * (x + 0.044715 * x.astype(np.float64) ** 3)))
    assert np.abs(run(model, x) - want).max() < 1e-7  # the function's own constants are float32


@pytest.mark.slow
def test_no_case_of_the_onnx_package_is_told_to_differ():
    study = [sys.executable, str(Path(__file__).parent / "study.py")]
    done = subprocess.run(study, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-3000:]
    (told,) = re.findall(r"operators, (\d+) of them in a file that is right", done.stdout)
    assert int(told) > 140
