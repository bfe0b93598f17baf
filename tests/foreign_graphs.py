"""Graphs as others write them: an LSTM operator between an embedding and a head, or our forms under other names."""

from typing import NamedTuple

import numpy as np
import onnx
import onnx_ir as ir
from onnx import TensorProto, helper, numpy_helper

from lstmbench.export import graph
from lstmbench.export.source import of_head
from lstmbench.model import stimulus
from lstmbench.model.weights import random_weights
from lstmbench.records import ModelConfig

FLOAT = TensorProto.FLOAT
V = 20


class Sizes(NamedTuple):
    """What an LSTM file is made of."""

    E: int = 6
    H: int = 8
    direction: str = "forward"
    peephole: bool = True
    lengths: bool = False
    embedding: bool = False
    head: str = "none"  # linear, softmax, norm
    gain: float = 1.0
    seed: int = 0


def tensors(sizes: Sizes):
    """Random weights as PyTorch draws them, times the gain."""
    rng, D = np.random.default_rng(sizes.seed), 2 if sizes.direction == "bidirectional" else 1
    E, H = sizes.E, sizes.H
    shapes = {"W": (D, 4 * H, E), "R": (D, 4 * H, H), "B": (D, 8 * H)}
    shapes |= {"P": (D, 3 * H)} if sizes.peephole else {}
    shapes |= {"table": (V, E)} if sizes.embedding else {}
    shapes |= {"head.w": (D * H, 5), "head.b": (5,)} if sizes.head in {"linear", "softmax"} else {}
    shapes |= {"scale": (D * H,), "shift": (D * H,)} if sizes.head == "norm" else {}
    reach = sizes.gain / np.sqrt(H)
    return {name: rng.uniform(-reach, reach, shape).astype(np.float32) for name, shape in shapes.items()}


def lstm_file(sizes: Sizes, held=None, *, turned=False) -> onnx.ModelProto:
    """The file, B before T outside as PyTorch's exporter has it; `turned`: with Y's steps the wrong way round."""
    held, D, H = dict(tensors(sizes) if held is None else held), 2 if sizes.direction == "bidirectional" else 1, sizes.H
    nodes, outputs = [], {"y": ["B", "T", D * H]}
    if sizes.embedding:
        nodes.append(helper.make_node("Gather", ["table", "ids"], ["x"]))
    nodes.append(helper.make_node("Transpose", ["x"], ["xt"], perm=[1, 0, 2]))
    given = ["xt", "W", "R", "B", "lens" if sizes.lengths else "", "h0", "c0", "P" if "P" in held else ""]
    nodes.append(helper.make_node("LSTM", given, ["Y", "hn", "cn"], hidden_size=H, direction=sizes.direction))
    made = "Y"
    if turned:
        held |= {"end": np.array([-1]), "start": np.array([-(2**62)]), "first": np.array([0])}
        nodes.append(helper.make_node("Slice", ["Y", "end", "start", "first", "end"], ["turned"]))
        made = "turned"
    nodes.append(helper.make_node("Transpose", [made], ["Yt"], perm=[2, 0, 1, 3]))
    held["joined"] = np.array([0, 0, D * H])
    last = "y" if sizes.head == "none" else "features"
    nodes.append(helper.make_node("Reshape", ["Yt", "joined"], [last]))
    if sizes.head in {"linear", "softmax"}:
        product = "y" if sizes.head == "linear" else "scores"
        nodes += [
            helper.make_node("MatMul", ["features", "head.w"], ["p"]),
            helper.make_node("Add", ["p", "head.b"], [product]),
        ]
        nodes += [helper.make_node("Softmax", ["scores"], ["y"], axis=-1)] if sizes.head == "softmax" else []
        outputs["y"] = ["B", "T", 5]
    if sizes.head == "norm":
        nodes.append(helper.make_node("LayerNormalization", ["features", "scale", "shift"], ["y"], axis=-1))
    inputs = {"ids": (TensorProto.INT64, ["B", "T"])} if sizes.embedding else {"x": (FLOAT, ["B", "T", sizes.E])}
    inputs |= {"h0": (FLOAT, [D, "B", H]), "c0": (FLOAT, [D, "B", H])}
    inputs |= {"lens": (TensorProto.INT32, ["B"])} if sizes.lengths else {}
    outputs |= {"hn": [D, "B", H], "cn": [D, "B", H]}
    return _model(nodes, inputs, outputs, held)


def _model(nodes, inputs, outputs, held):
    made = helper.make_graph(
        nodes,
        "foreign",
        [helper.make_tensor_value_info(name, *port) for name, port in inputs.items()],
        [helper.make_tensor_value_info(name, FLOAT, shape) for name, shape in outputs.items()],
        [numpy_helper.from_array(array, name) for name, array in held.items()],
    )
    return helper.make_model(made, opset_imports=[helper.make_opsetid("", 18)], ir_version=9, producer_name="pytorch")


def feeds(sizes: Sizes, batch: int, time: int, *, seed: int = 1):
    """Inputs, one row of full length."""
    rng, D = np.random.default_rng(seed), 2 if sizes.direction == "bidirectional" else 1
    state = (D, batch, sizes.H)
    given = {name: rng.standard_normal(state).astype(np.float32) for name in ("h0", "c0")}
    if sizes.embedding:
        given["ids"] = rng.integers(0, V, (batch, time))
    else:
        given["x"] = rng.standard_normal((batch, time, sizes.E)).astype(np.float32)
    if sizes.lengths:
        given["lens"] = stimulus.lengths(batch=batch, time=time, seed=seed)
    return given


def draw_operator(rng, batch, time):
    """A random file around the LSTM operator, and inputs for it."""
    pick = {
        "E": [1, 4, 24, 96],
        "H": [1, 3, 16, 64, 160],
        "direction": ["forward", "reverse", "bidirectional"],
        "peephole": [True, False],
        "lengths": [True, False],
        "embedding": [True, False],
        "head": ["none", "linear", "softmax", "norm"],
        "gain": [0.3, 1.0, 1.5],
    }
    chosen = {name: values[rng.integers(len(values))] for name, values in pick.items()}
    sizes = Sizes(**chosen, seed=int(rng.integers(2**31)))
    return lstm_file(sizes), feeds(sizes, batch, time, seed=int(rng.integers(2**31)))


def draw_written(rng, batch, time):
    """A random file whose recurrence is written out in nodes, and inputs for it."""
    pick = {"peephole": ["full", "diagonal", "none"], "hidden_size": [1, 3, 16, 64], "input_size": [1, 5, 40]}
    chosen = {name: values[rng.integers(len(values))] for name, values in pick.items()}
    head = ["lm", "layer"][rng.integers(2)]
    chosen |= {"num_layers": int(rng.integers(1, 3)), "head": head, "vocabulary_size": V if head == "lm" else 0}
    config = ModelConfig(**chosen)
    weights = random_weights(config, seed=int(rng.integers(2**31)), gain=float(rng.choice([0.3, 1.0, 1.5])))
    form = ["scan", "loop", f"unrolled{time}"][rng.integers(3)]
    model = ir.to_proto(graph.build(of_head(head, config, weights), form))
    state = stimulus.state(config, batch=batch, seed=3)
    inputs = stimulus.inputs(config, batch=batch, time=time, seed=4)
    return model, {"input_ids" if head == "lm" else "x": inputs, "h_0": state.h, "c_0": state.c}


def draw(rng):
    """A random file of either kind at a random (B, T), and inputs for it."""
    batch, time = int(rng.choice([1, 2, 5, 9])), int(rng.choice([1, 2, 3, 7, 16, 33]))
    return (draw_operator, draw_written)[rng.integers(2)](rng, batch, time)
