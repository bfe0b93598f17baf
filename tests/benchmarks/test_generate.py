"""Tokens a second of a graph that draws, beside loops in Python over form `step`; shown, never asserted.

    pytest tests/benchmarks/test_generate.py

One thread, B = 1; the roads take turns, in a new order each round. They draw the same tokens, and that is asserted.
"""

import sys
import time

import numpy as np
import onnx_ir as ir
import pytest

from lstmbench.export import graph
from lstmbench.export.source import of_head
from lstmbench.model import sampling
from lstmbench.model.weights import random_weights
from lstmbench.records import ModelConfig

ort = pytest.importorskip("onnxruntime")

H, V, N, ROUNDS = 128, 70, 256, 60


def session(model, form):
    options = ort.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    source = of_head("lm", model, random_weights(model, seed=3))
    data = ir.to_proto(graph.build(source, form)).SerializeToString()
    return ort.InferenceSession(data, options, providers=["CPUExecutionProvider"])


def in_the_graph(model, uniform, temperature):
    loaded, zeros = session(model, "generate"), np.zeros(model.state_shape(1), np.float32)
    feeds = {"input_ids": np.array([[1]]), "h_0": zeros, "c_0": zeros, "uniform": uniform[None]}
    feeds |= {"temperature": np.array(temperature, np.float32), "top_k": np.array(0)}

    def road():
        return loaded.run(["tokens"], feeds)[0][0].tolist()

    return road


def pick(logits, at, temperature):
    return sampling.take(logits, at, temperature=temperature, top_k=0) if temperature else int(logits.argmax())


def step_by_step(model, uniform, temperature):
    loaded, zeros = session(model, "step"), np.zeros(model.state_shape(1), np.float32)

    def road():
        tokens, h, c = [1], zeros, zeros
        for at in uniform.tolist():
            feeds = {"input_ids": np.array([[tokens[-1]]]), "h_0": h, "c_0": c}
            logits, h, c = loaded.run(["logits", "h_n", "c_n"], feeds)
            tokens.append(pick(logits[0, 0], at, temperature))
        return tokens[1:]

    return road


def step_by_step_bound(model, uniform, temperature):
    """Inputs and outputs bound once, the state in two places that take turns: no copy and no allocation a step."""
    loaded, ids, logits = session(model, "step"), np.array([[1]]), np.zeros((1, 1, V), np.float32)
    states = [{name: np.zeros(model.state_shape(1), np.float32) for name in "hc"} for _ in range(2)]
    bindings = []
    for before, after in (states, states[::-1]):
        binding = loaded.io_binding()
        binding.bind_ortvalue_input("input_ids", ort.OrtValue.ortvalue_from_numpy(ids))
        binding.bind_ortvalue_output("logits", ort.OrtValue.ortvalue_from_numpy(logits))
        for name in "hc":
            binding.bind_ortvalue_input(f"{name}_0", ort.OrtValue.ortvalue_from_numpy(before[name]))
            binding.bind_ortvalue_output(f"{name}_n", ort.OrtValue.ortvalue_from_numpy(after[name]))
        bindings.append(binding)

    def road():
        tokens, ids[0, 0] = [], 1
        for array in states[0].values():
            array.fill(0)
        for n, at in enumerate(uniform.tolist()):
            loaded.run_with_iobinding(bindings[n % 2])
            tokens.append(pick(logits[0, 0], at, temperature))
            ids[0, 0] = tokens[-1]
        return tokens

    return road


ROADS = {"generate": in_the_graph, "step, bound": step_by_step_bound, "step": step_by_step}


@pytest.mark.slow
@pytest.mark.parametrize(("way", "temperature"), [("most likely", 0.0), ("drawn from all", 1.0)])
@pytest.mark.parametrize("peephole", ["full", "diagonal", "none"])
def test_tokens_a_second(peephole, way, temperature, capsys):
    model = ModelConfig(head="lm", peephole=peephole, input_size=64, hidden_size=H, vocabulary_size=V)
    uniform = np.random.default_rng(0).random(N, dtype=np.float32)
    roads = {name: road(model, uniform, temperature) for name, road in ROADS.items()}
    texts = {name: road() for name, road in roads.items()}
    assert texts["generate"] == texts["step, bound"] == texts["step"]
    took_s, rng = {name: [] for name in roads}, np.random.default_rng(1)
    for _ in range(ROUNDS):
        for name in rng.permutation(list(roads)):
            begin_s = time.perf_counter()
            roads[name]()
            took_s[name].append(time.perf_counter() - begin_s)
    rate = {name: N / float(np.median(times)) for name, times in took_s.items()}
    shown = ", ".join(f"{name} {rate[name]:,.0f}" for name in rate)
    ratios = ", ".join(f"{rate['generate'] / rate[name]:.2f} x {name}" for name in list(rate)[1:])
    with capsys.disabled():
        sys.stdout.write(f"\n{peephole}, {way}: tokens/s: {shown}; generate is {ratios}\n")
