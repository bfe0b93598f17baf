"""How much of its bound a right engine takes where sums are large, on ONNX Runtime's CPU; shown.

    pytest tests/benchmarks/test_large_sums.py

All cells, heads and forms, H from 1 to 1024, gains 0.5 to 4, each as `check` asks it. None may be refused.
"""

import itertools
import sys

import numpy as np
import onnx_ir as ir
import pytest

from lstmbench.check import reach
from lstmbench.export import graph
from lstmbench.export.source import of_head
from lstmbench.model.weights import random_weights
from lstmbench.parity import expect
from lstmbench.records import ModelConfig

ort = pytest.importorskip("onnxruntime")

CELLS, GAINS = ("full", "diagonal", "none"), (0.5, 1.0, 2.0, 4.0)
STEPS = {"unrolled8": 8}
SIZES = ((1, 30), (2, 20), (4, 20), (8, 10), (48, 6), (256, 2), (1024, 1))  # H, seeds


def shares(config, weights, form):
    """Of each output that is judged."""
    given = {"batch": reach.ROWS, "seed": 20_000}
    x = reach.inputs(config, weights, time=STEPS.get(form, 1), **given)
    h, c = reach.state(config, weights, **given)
    model = ir.to_proto(graph.build(of_head(config.head, config, weights), form)).SerializeToString()
    session = ort.InferenceSession(model, providers=["CPUExecutionProvider"])
    answer = session.run(config.output_names, {session.get_inputs()[0].name: x, "h_0": h, "c_0": c})
    for got, one in zip(answer, expect(config, weights, x, (h, c), large=True), strict=True):
        if one.judged != 0:
            yield float(np.abs(got - one.want)[:, : one.judged].max()) / one.bound


@pytest.mark.slow
@pytest.mark.parametrize(("H", "seeds"), SIZES)
def test_a_right_engine_is_within_the_bound_of_large_sums(H, seeds, capsys):
    taken = []
    for cell, gain, head, seed in itertools.product(CELLS, GAINS, ("layer", "lm"), range(seeds)):
        sizes = {"input_size": H, "hidden_size": H, "num_layers": 1 + seed % 2}
        config = ModelConfig(head=head, peephole=cell, vocabulary_size=17 if head == "lm" else 0, **sizes)
        weights = random_weights(config, seed=seed, gain=gain)
        forms = ["scan", "step", *(["lstm"] if cell != "full" else []), *(STEPS if H < 1000 else [])]
        taken += [max(shares(config, weights, form), default=0.0) for form in forms]
    with capsys.disabled():
        sys.stdout.write(f"\nH = {H}: {len(taken)} files take at most {max(taken):.0%} of the bound\n")
    assert max(taken) < 1
