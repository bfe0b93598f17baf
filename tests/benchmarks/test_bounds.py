"""How near ONNX Runtime's errors come to those of the reference's own runs, from which bounds follow; shown.

    pytest tests/benchmarks/test_bounds.py

Random models, forms, shapes and ways to cut a sequence into calls; an output's error over the largest of the
reference's runs. `lstmbench.parity.bound` says which factor K these figures stand behind.
"""

import sys

import numpy as np
import onnx_ir as ir
import pytest

from lstmbench.export import graph, precisions
from lstmbench.export.source import of_head
from lstmbench.model import rounding, stimulus
from lstmbench.model.weights import random_weights
from lstmbench.parity import bound, expect
from lstmbench.records import ModelConfig

ort = pytest.importorskip("onnxruntime")

FILES = 1000


def draw(rng, precision):
    """A model and a form that can hold it."""
    pick = {
        "peephole": ["full", "diagonal", "none"],
        "hidden_size": [1, 3, 6, 16, 48, 176, 256],
        "input_size": [1, 5, 40, 128],
        "num_layers": [1, 2],
        "head": ["lm", "layer"],
    }
    sizes = {name: values[rng.integers(len(values))] for name, values in pick.items()}
    sizes |= {"bidirectional": sizes["head"] == "layer" and rng.random() < 0.3}
    sizes |= {"vocabulary_size": 30 if sizes["head"] == "lm" else 0}
    config = ModelConfig(**sizes)
    operator = config.peephole != "full" and not precision.startswith("int4")
    return config, ["scan", "loop", "lstm"][rng.integers(3 if operator else 2)]


def session(config, weights, form, precision):
    stored = (config, weights) if precision in ("fp32", "fp16") else rounding.untied(config, weights)
    model = graph.build(of_head(config.head, *stored), form)
    precisions.lower(model, precision, config)
    options = ort.SessionOptions()
    options.intra_op_num_threads, options.log_severity_level = 1, 3
    return ort.InferenceSession(ir.to_proto(model).SerializeToString(), options, providers=["CPUExecutionProvider"])


def ratios(rng, precision):
    """Of one file at one shape, each judged output: its error over that of the reference's runs, and over its bound."""
    config, form = draw(rng, precision)
    weights = random_weights(config, seed=int(rng.integers(2**31)), gain=float(rng.choice([0.3, 1.0, 1.5])))
    batch, time = int(rng.choice([1, 2, 5, 9])), int(rng.choice([1, 2, 3, 7, 16, 33]))
    steps = time if config.bidirectional else int(rng.choice([1, 5, time]))
    x = stimulus.inputs(config, batch=batch, time=time, seed=1)
    state = stimulus.state(config, batch=batch, seed=2)
    loaded, (h, c), outputs = session(config, weights, form, precision), state, []
    for start in range(0, time, steps):
        feeds = {loaded.get_inputs()[0].name: x[:, start : start + steps], "h_0": h, "c_0": c}
        y, h, c = loaded.run(config.output_names, feeds)
        outputs.append(y)
    chunks = [min(steps, time - start) for start in range(0, time, steps)]
    expected = expect(config, weights, x, state, precision=precision, chunks=chunks, operator=form == "lstm")
    for got, one in zip((np.concatenate(outputs, 1), h, c), expected, strict=True):
        if one.judged != 0:
            error = float(np.abs(got - one.want)[:, : one.judged].max())
            yield error / one.float32_error if one.float32_error else np.nan, error / one.bound


@pytest.mark.slow
@pytest.mark.parametrize("precision", bound.K)
def test_errors_over_those_of_the_references_own_runs(precision, capsys):
    rng = np.random.default_rng(0)
    taken = np.array([ratio for _ in range(FILES) for ratio in ratios(rng, precision)])
    beside, share = np.nanmedian(taken[:, 0]), np.quantile(taken[:, 1], [0.5, 0.999, 1])
    with capsys.disabled():
        sys.stdout.write(
            f"\n{precision}: {FILES} files, {len(taken)} outputs: error over that of the reference's runs {beside:.2f} "
            f"in the median; share of the bound {share[0]:.0%} in the median, one in a thousand above {share[1]:.0%}, "
            f"at most {share[2]:.0%}\n"
        )
