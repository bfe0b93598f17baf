"""Precisions `int8`, `int4` and `int4a8`: every product of a float32 graph with weights by one on integer weights.

int8 is written in ONNX's own operators, DynamicQuantizeLinear and MatMulInteger, which ONNX Runtime makes one of;
scales of columns, where they have their own, stand apart from it, since its way with many is slower. The LSTM operator
has no such form:
there it is DynamicQuantizeLSTM of com.microsoft, and int4 is MatMulNBits, with activations in float32 or, by
accuracy_level 4, in int8. Everything that is no product stays in float32.
"""

from collections.abc import Container, Sequence
from typing import Any

import numpy as np
import onnx_ir as ir
from numpy.typing import NDArray

from lstmbench.arrays import Floats
from lstmbench.export.nodes import MICROSOFT
from lstmbench.model.rounding import BLOCK, Codes, codes_of
from lstmbench.records import Precision


def to_integers(model: ir.Model, precision: Precision, hot: Container[str]) -> None:
    """Change the model in place; `hot` are the names of matrices that are multiplied with at every step."""
    stored: dict[str, list[ir.Value]] = {}
    for graph in list(model.graphs()):
        for node in list(graph):
            if node.op_type == "LSTM":
                _replace_lstm(model.graph, graph, node)
            elif node.op_type in ("MatMul", "Gemm") and _is_by_weights(node):
                _replace_product(model.graph, graph, node, precision, stored, hot)
    for name in [name for name, value in model.graph.initializers.items() if not value.uses()]:
        del model.graph.initializers[name]
    if any(node.domain == MICROSOFT for graph in model.graphs() for node in graph):
        model.graph.opset_imports[MICROSOFT] = 1


def _is_by_weights(node: ir.Node) -> bool:
    """Attention multiplies states with states: no weights to round."""
    W = node.inputs[1]
    return W is not None and W.const_value is not None


def _replace_product(
    main: ir.Graph,
    graph: ir.Graph,
    node: ir.Node,
    precision: Precision,
    stored: dict[str, list[ir.Value]],
    hot: Container[str],
) -> None:
    """Of x and W (K, N), and of what is added: MatMul(x, W), Gemm(x, W, z)."""
    x, W, *added = node.inputs
    assert x is not None
    assert W is not None
    assert W.name is not None
    if W.name not in stored:  # the steps of an unrolled graph share theirs
        codes = codes_of(_array(W).T, precision, hot=W.name in hot)
        packed = _int8_weights(codes) if precision == "int8" else _int4_weights(codes)
        stored[W.name] = [_keep(main, f"{W.name}_{kind}", array) for kind, array in packed.items()]
    multiply = _int8_product if precision == "int8" else _int4_product
    new = multiply(node.name or "", x, stored[W.name], _array(W).shape, precision)
    if added:
        new.append(_node("Add", [new[-1].outputs[0], *added], f"{node.name}_sum"))
    ir.convenience.replace_nodes_and_values(graph, node, [node], new, node.outputs, new[-1].outputs)


def _int8_weights(codes: Codes) -> dict[str, NDArray[Any]]:
    """Codes (K, N) and their scale (); where columns have their own, that of the first, and theirs over it (N,)."""
    scales = codes.scales[:, 0]
    stored = {"codes": codes.codes.T, "scale": scales[0]}
    return stored if (scales == scales[0]).all() else stored | {"scales": scales / scales[0]}


def _int8_product(
    name: str, x: ir.Value, stored: list[ir.Value], _shape: tuple[int, ...], _precision: Precision
) -> list[ir.Node]:
    """The first five nodes in the order in which ONNX Runtime makes one of them."""
    codes, scale, *scales = stored
    x_codes, x_scale, x_zero = (ir.val(f"{name}_x_{kind}") for kind in ("codes", "scale", "zero"))
    rounded = ir.node("DynamicQuantizeLinear", [x], outputs=[x_codes, x_scale, x_zero], name=f"{name}_x")
    product = _node("MatMulInteger", [x_codes, codes, x_zero], name)
    single = _node("Cast", product.outputs, f"{name}_single", to=int(ir.DataType.FLOAT))
    both = _node("Mul", [x_scale, scale], f"{name}_scale")
    scaled = _node("Mul", [*single.outputs, *both.outputs], f"{name}_scaled")
    columns = [_node("Mul", [*scaled.outputs, *scales], f"{name}_columns")] if scales else []
    return [rounded, product, single, both, scaled, *columns]


def _int4_weights(codes: Codes) -> dict[str, NDArray[Any]]:
    return {"codes": _nibbles(codes), "scales": codes.scales.reshape(-1)}


def _int4_product(
    name: str, x: ir.Value, stored: list[ir.Value], shape: tuple[int, ...], precision: Precision
) -> list[ir.Node]:
    attributes = {"K": shape[0], "N": shape[1], "bits": 4, "block_size": BLOCK}
    attributes["accuracy_level"] = 4 if precision == "int4a8" else 0
    product = _node("MatMulNBits", [x, *stored], name, domain=MICROSOFT, **attributes)
    product.outputs[0].dtype = ir.DataType.FLOAT  # which inference cannot know of others' operators
    return [product]


def _node(
    operator: str, inputs: Sequence[ir.Value | None], name: str, *, domain: str = "", **attributes: int
) -> ir.Node:
    """A node with one output; the last of a product takes the name of the value that it replaces."""
    return ir.node(operator, inputs, attributes, domain=domain, outputs=[ir.val(f"{name}_out")], name=name)


def _nibbles(stored: Codes) -> NDArray[Any]:
    """Codes -8 to 7 of (N, K) as MatMulNBits takes them: (N, blocks, block / 2) bytes, the first in the low half."""
    N, K = stored.codes.shape
    raised = np.pad(stored.codes + 8, ((0, 0), (0, -K % stored.block)), constant_values=8).astype(np.uint8)
    pairs = raised.reshape(N, -1, stored.block // 2, 2)
    packed: NDArray[Any] = pairs[..., 0] | pairs[..., 1] << 4
    return packed


def _replace_lstm(main: ir.Graph, graph: ir.Graph, node: ir.Node) -> None:
    """DynamicQuantizeLSTM: W (D, E, 4H) and R (D, H, 4H) int8, a scale for each of 4H rows; B and P stay float32."""
    x, W, R, *others = node.inputs
    quantised, scales = [], []
    for value in (W, R):
        assert value is not None
        codes = [codes_of(matrix, "int8") for matrix in _array(value)]
        quantised.append(_keep(main, f"{value.name}_codes", np.stack([one.codes.T for one in codes])))
        scale = np.stack([one.scales[:, 0] for one in codes])
        scales += [_keep(main, f"{value.name}_scales", scale)]
        scales += [_keep(main, f"{value.name}_zeros", np.zeros(scale.shape, np.int8))]
    others += [None] * (5 - len(others))  # B, sequence_lens, initial_h, initial_c, P
    new = ir.node(
        "DynamicQuantizeLSTM",
        [x, *quantised, *others, *scales],
        {name: attribute.value for name, attribute in node.attributes.items()},
        outputs=[ir.val(f"{value.name}") for value in node.outputs],
        domain=MICROSOFT,
        name=node.name,
    )
    ir.convenience.replace_nodes_and_values(graph, node, [node], [new], node.outputs, new.outputs)


def _keep(main: ir.Graph, name: str, array: NDArray[Any]) -> ir.Value:
    value = ir.val(name, const_value=ir.Tensor(np.ascontiguousarray(array), name=name))
    main.register_initializer(value)
    return value


def _array(value: ir.Value) -> Floats:
    assert value.const_value is not None, f"{value.name} is a weight"
    array: Floats = value.const_value.numpy()
    return array
