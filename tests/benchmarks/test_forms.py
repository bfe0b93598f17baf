"""Microseconds a step of every form and precision of one layer, beside ONNX's LSTM operator; shown, never asserted.

    pytest tests/benchmarks/test_forms.py -m slow -k speed

ONNX Runtime's CPU, one thread, E = H, T = 64, random weights; the files take turns, in a new order each round, and a
ratio is the median of the rounds' own. What a precision costs in quality, the files' records tell (`lstmbench export`).
"""

import sys
import time

import numpy as np
import onnx_ir as ir
import pytest

from lstmbench.export import graph, precisions
from lstmbench.export.source import of_head
from lstmbench.model import stimulus
from lstmbench.model.weights import random_weights
from lstmbench.records import ModelConfig

ort = pytest.importorskip("onnxruntime")

T = 64
ROUNDS = {1: 31, 8: 15, 32: 9}  # by B
FILES = (
    ("diagonal", "lstm", "fp32"),  # the measure of the others
    ("none", "lstm", "fp32"),
    ("diagonal", "lstm", "int8"),
    ("diagonal", "scan", "fp32"),
    ("diagonal", "scan", "int8"),
    ("full", "scan", "fp32"),
    ("full", "loop", "fp32"),
    ("full", "scan", "int8"),
    ("full", "scan", "int4a8"),
    ("full", "scan", "int4"),
)


def session(peephole, form, precision, hidden):
    config = ModelConfig(head="layer", peephole=peephole, input_size=hidden, hidden_size=hidden)
    made = of_head("layer", config, random_weights(config, seed=3))
    model = graph.build(made, form)
    precisions.lower(model, precision, config)
    options = ort.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    data = ir.to_proto(model).SerializeToString()
    return config, ort.InferenceSession(data, options, providers=["CPUExecutionProvider"])


def call(config, loaded, batch):
    x, state = stimulus.inputs(config, batch=batch, time=T, seed=1), stimulus.state(config, batch=batch, seed=2)
    feeds = {"x": x, "h_0": state.h, "c_0": state.c}
    return lambda: loaded.run(["y", "h_n", "c_n"], feeds)


def took_s(calls, rounds):
    """The shortest of three calls in each round (R, files): what else the machine does can only add."""
    taken, rng = np.empty((rounds, len(calls))), np.random.default_rng(0)
    for n in range(rounds):
        for k in rng.permutation(len(calls)):
            calls[k]()
            taken[n, k] = min(_timed(calls[k]) for _ in range(3))
    return taken


def _timed(work):
    begin_s = time.perf_counter()
    work()
    return time.perf_counter() - begin_s


@pytest.mark.slow
@pytest.mark.parametrize("batch", ROUNDS)
@pytest.mark.parametrize("hidden", [128, 512, 1024])
def test_speed_of_a_step(hidden, batch, capsys):
    names = [f"{cell} {form}-{precision}" for cell, form, precision in FILES]
    calls = [call(*session(*file, hidden), batch) for file in FILES]
    taken = took_s(calls, ROUNDS[batch])
    own = names.index("full scan-fp32")
    lines = [f"\nH = {hidden}, B = {batch}: µs a step, times the speed of LSTM with P, of full scan-fp32"]
    for k, name in enumerate(names):
        beside = (np.median(taken[:, other] / taken[:, k]) for other in (0, own))
        lines.append(f"{name:22} {np.median(taken[:, k]) / T * 1e6:8.1f} {next(beside):6.2f} {next(beside):6.2f}")
    with capsys.disabled():
        sys.stdout.write("\n".join(lines) + "\n")


@pytest.mark.slow
@pytest.mark.parametrize("form", ["lstm", "scan", "loop", "step", "unrolled16", "unrolled256"])
def test_seconds_to_build_a_graph(form, capsys, tmp_path):
    """T is no part of a graph, but of `unrolledN`."""
    from lstmbench.export.serialise import serialise, store

    config = ModelConfig(
        head="lm", peephole="diagonal", input_size=64, hidden_size=224, num_layers=2, vocabulary_size=70
    )
    source = of_head("lm", config, random_weights(config, seed=3))

    def write():
        store(serialise(source, form, "fp32", tmp_path), tmp_path / f"{form}.onnx", external_data=False)

    took = sorted(_timed(write) for _ in range(5))
    with capsys.disabled():
        sys.stdout.write(f"\n{form}: {took[2]:.3f} s to build, check and write\n")


@pytest.mark.slow
@pytest.mark.torch
@pytest.mark.parametrize("steps", [16, 64])
def test_seconds_that_torch_takes_for_a_python_loop(steps, capsys, tmp_path):
    """The other road: a cell written as a loop over time, its graph as long as T; ours are at `-k build`."""
    import torch

    from lstmbench import PeepholeLSTM

    class Loop(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.x, self.h = torch.nn.Linear(64, 4 * 224), torch.nn.Linear(224, 4 * 224)
            self.p = torch.nn.Parameter(torch.zeros(3, 224))

        def forward(self, x):
            h = c = x.new_zeros(x.shape[0], 224)
            ys = []
            for t in range(x.shape[1]):
                i, f, g, o = (self.x(x[:, t]) + self.h(h)).chunk(4, dim=1)
                c = torch.sigmoid(f + self.p[1] * c) * c + torch.sigmoid(i + self.p[0] * c) * torch.tanh(g)
                h = torch.sigmoid(o + self.p[2] * c) * torch.tanh(c)
                ys.append(h)
            return torch.stack(ys, dim=1)

    def seconds(model):
        path = tmp_path / f"{type(model).__name__}.onnx"
        return _timed(lambda: torch.onnx.export(model, (torch.zeros(2, steps, 64),), path, dynamo=True, verbose=False))

    ours = PeepholeLSTM(64, 224, batch_first=True, peephole="diagonal").eval()
    with capsys.disabled():
        line = f"\ntorch.onnx.export, T = {steps}: a loop {seconds(Loop()):.1f} s, PeepholeLSTM {seconds(ours):.1f} s\n"
        sys.stdout.write(line)
