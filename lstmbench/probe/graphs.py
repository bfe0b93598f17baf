"""A feature as an ONNX file: weights inside it, as exporters write them, X, lengths and states as its inputs."""

import functools
from typing import Any

import numpy as np
import onnx_ir as ir

from lstmbench.mistakes import OUTPUTS, Array, Case
from lstmbench.probe import loops, steps
from lstmbench.probe.features import Feature
from lstmbench.probe.nodes import MICROSOFT, Nodes
from lstmbench.probe.quantised import codes

OPSET, IR_VERSION = 21, 10  # what runtimes of the last two years load
_GIVEN = ("X", "sequence_lens", "initial_h", "initial_c")
_ORDER = ("X", "W", "R", "B", "sequence_lens", "initial_h", "initial_c", "P")  # of the operator's inputs


def graph(feature: Feature) -> ir.Model:
    """The graph: X, sequence_lens, initial_h, initial_c -> Y, Y_h, Y_c, in the shapes of the operator."""
    case, nodes = feature.cases[0], Nodes()
    inputs = {name: _declared(feature, name, case.tensors[name]) for name in _GIVEN if case.has(name)}
    match feature.form:
        case "LSTM":
            outputs = _operator(nodes, case, inputs)
        case "DynamicQuantizeLSTM":
            outputs = _quantised_operator(nodes, case, inputs)
        case "Scan" | "Loop" | "Loop without condition":
            outputs = loops.over_time(nodes, case, inputs, feature.form)
        case "DynamicQuantizeMatMul" | "MatMulInteger":
            outputs = steps.written_out(nodes, case, inputs, feature.form)
    for value, name, shape in zip(outputs, OUTPUTS, _output_shapes(feature), strict=True):
        value.name, value.dtype, value.shape = name, _type(case.tensors["X"]), ir.Shape(shape)
    domains = {"": OPSET} | ({MICROSOFT: 1} if nodes.foreign else {})
    made = nodes.graph("probe", list(inputs.values()), outputs, domains)
    return ir.Model(made, ir_version=IR_VERSION, producer_name="lstmbench")


def feeds(case: Case) -> dict[str, Array]:
    """What the graph of a case is given."""
    return {name: case.tensors[name] for name in _GIVEN if case.has(name)}


def _declared(feature: Feature, name: str, array: Array) -> ir.Value:
    axes = {"X": "TB.", "sequence_lens": "B", "initial_h": ".B.", "initial_c": ".B."}[name]
    letters = _turned(axes) if feature.cases[0].how.layout else axes
    return ir.val(name, _type(array), _opened(feature, letters, array.shape))


def _output_shapes(feature: Feature) -> list[list[int | str]]:
    case = feature.cases[0]
    D, H = case.directions, case.hidden
    if case.how.layout:
        B, T = case.tensors["X"].shape[:2]
        return [[B, T, D, H], [B, D, H], [B, D, H]]
    T, B = case.tensors["X"].shape[:2]
    return [_opened(feature, "T.B.", (T, D, B, H)), *(_opened(feature, ".B.", (D, B, H)) for _ in range(2))]


def _opened(feature: Feature, letters: str, shape: tuple[int, ...]) -> list[int | str]:
    return [letter if letter in feature.open else size for letter, size in zip(letters, shape, strict=True)]


def _turned(axes: str) -> str:
    return axes if len(axes) == 1 else axes[1] + axes[0] + axes[2:]


def _type(array: Array) -> ir.DataType:
    return ir.DataType.from_numpy(array.dtype)


def _operator(nodes: Nodes, case: Case, inputs: dict[str, ir.Value]) -> list[ir.Value]:
    own = {n: nodes.constant(n, case.tensors[n]) for n in "WRBP" if case.has(n)}
    given = [(inputs | own).get(name) for name in _ORDER]
    while given[-1] is None:
        given.pop()
    return nodes.add_many("LSTM", given, "lstm", outputs=3, **_attributes(case))


def _quantised_operator(nodes: Nodes, case: Case, inputs: dict[str, ir.Value]) -> list[ir.Value]:
    """W (D, E, 4H) and R (D, H, 4H) int8, with a scale and a zero point for each of 4H columns behind P."""
    own = {n: nodes.constant(n, case.tensors[n]) for n in "BP" if case.has(n)}
    behind = []
    for name in "WR":
        stored = [codes(matrix) for matrix in case.tensors[name]]
        own[name] = nodes.constant(f"{name}_codes", np.stack([one.codes.T for one in stored]))
        scales = np.stack([one.scales[:, 0] for one in stored])
        behind += [
            nodes.constant(f"{name}_scales", scales),
            nodes.constant(f"{name}_zeros", np.zeros_like(scales, np.int8)),
        ]
    given = [(inputs | own).get(name) for name in _ORDER]
    add = functools.partial(nodes.add_many, domain=MICROSOFT)
    return add("DynamicQuantizeLSTM", [*given, *behind], "lstm", outputs=3, **_attributes(case))


def _attributes(case: Case) -> dict[str, Any]:
    """The attributes that are not at their defaults."""
    how, usual = case.how, type(case.how)()
    told = {n: v for n, v in how._asdict().items() if v != getattr(usual, n)}
    told = {n: list(v) if isinstance(v, tuple) else int(v) if n == "input_forget" else v for n, v in told.items()}
    return {"hidden_size": case.hidden} | told
