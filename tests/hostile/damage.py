"""Ways to spoil a file: bytes, JSON, safetensors and ONNX by their fields, and what stands in a file's place.

`pick(n)` gives a number below n: hypothesis draws it in the tests, a seeded generator in the study.
"""

import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnx
import onnx.numpy_helper

Pick = Callable[[int], int]

NUMBERS = (0, 1, -1, 2, 63, 64, 2**16, 2**16 + 1, 2**31, 2**32, 2**40, 2**53 + 1, 2**63 - 1, -(2**63), 10**30, 10**400)
FLOATS = (0.0, -0.0, 5e-324, 1e-9, 1e300, 1.7e308, -1e308)
ESCAPES = "\x1b]0;x\x07\x1b[31m\r\n\u202e\x9b"
TEXTS = (
    "",
    "\0",
    ESCAPES,
    "../outside/secret",
    "/dev/zero",
    "=1+1",
    "</script><script>",
    "x" * 5000,
    "unrolled9999",
    "layer",
    "bpe",
)
OTHERS = (None, True, [], {}, [[]], [0], [10**30], {"a": 1}, "nan")


def anyhow(data: bytes, pick: Pick) -> bytes:
    """Bytes flipped, cut off, doubled, moved or put in."""
    way = pick(5)
    if not data:
        return bytes(pick(256) for _ in range(8))
    if way == 0:
        spoilt = bytearray(data)
        for _ in range(1 + pick(6)):
            spoilt[pick(len(data))] ^= 1 + pick(255)
        return bytes(spoilt)
    if way == 1:
        return data[: pick(len(data))]
    at, other, size = pick(len(data)), pick(len(data)), pick(200)
    if way == 2:
        return data[:at] + data[other : other + size] + data[at:]
    if way == 3:
        return data[:at] + data[at + size :]
    put = ("NaN", "[" * 5000, '{"a":' * 5000, "9" * 400, "1e999", "\ufeff", "\0" * 64, ESCAPES)[pick(8)]
    return data[:at] + put.encode() + data[at:]


def of_json(data: bytes, pick: Pick) -> bytes:
    """One field of a document changed, removed or added."""
    if pick(3) == 0:
        return anyhow(data, pick)
    document = json.loads(data)
    holder, key = _leaf(document, pick)
    way = pick(10)
    if way == 0:
        del holder[key]
    elif way == 1 and isinstance(holder, dict):
        holder[TEXTS[pick(len(TEXTS))]] = holder[key]
    elif way == 2 and isinstance(holder, list):
        holder *= 1 + pick(3)
    else:
        holder[key] = _value(holder[key], pick)
    return json.dumps(document).encode()


def of_lines(data: bytes, pick: Pick) -> bytes:
    """One line of a journal changed, doubled, cut or moved."""
    lines = data.splitlines(keepends=True)
    at, way = pick(len(lines)), pick(6)
    if way == 0:
        return anyhow(data, pick)
    if way == 1:
        lines.insert(pick(len(lines)), lines[at])
    elif way == 2:
        lines[at] = lines[at][: pick(len(lines[at]))] + b"\n"
    else:
        lines[at] = of_json(lines[at], pick) + b"\n"
    return b"".join(lines)


def of_safetensors(data: bytes, pick: Pick) -> bytes:
    """The header's length, or one field of it; or bytes of the whole."""
    way = pick(4)
    if way == 0:
        return anyhow(data, pick)
    size = int.from_bytes(data[:8], "little")
    if way == 1:
        return (2**60, 0, size - 1, size + 1, len(data), 2**64 - 1)[pick(6)].to_bytes(8, "little") + data[8:]
    header = of_json(data[8 : 8 + size], pick)
    return len(header).to_bytes(8, "little") + header + data[8 + size :]


def of_onnx(data: bytes, pick: Pick) -> bytes:
    """One to three fields of the messages changed, emptied, doubled or removed; or bytes of the whole."""
    if pick(4) == 0:
        return anyhow(data, pick)
    model = onnx.load_model_from_string(data)
    for _ in range(1 + pick(3)):
        _spoil(model, pick)
    return model.SerializeToString()


OPERATORS = ("Add", "Cast", "Concat", "Exp", "Gather", "Identity", "MatMul", "Mul", "Neg", "ReduceSum", "Reshape")
OPERATORS += ("Shape", "Sigmoid", "Slice", "Softmax", "Split", "Squeeze", "Tanh", "TopK", "Transpose", "Where")
DIMS = (1, 2, 3, 16, 0, "N", "N", "other", "\x1b[31m")


def of_wiring(data: bytes, pick: Pick) -> bytes:
    """One to three nodes, inputs or outputs changed so that the file is often valid still: another function."""
    model = onnx.load_model_from_string(data)
    graph = model.graph
    for _ in range(1 + pick(3)):
        node, ports = graph.node[pick(len(graph.node))], [*graph.input, *graph.output]
        values = [
            *(one.name for one in (*graph.input, *graph.initializer)),
            *(n for node in graph.node for n in node.output),
        ]
        way, port = pick(7), ports[pick(len(ports))]
        if way == 0:
            node.op_type = OPERATORS[pick(len(OPERATORS))]
            del node.attribute[:]
        elif way == 1 and node.input:
            node.input[pick(len(node.input))] = [*values, ""][pick(len(values) + 1)]
        elif way == 2 and port.type.tensor_type.shape.dim:
            _resize(port.type.tensor_type.shape.dim[pick(len(port.type.tensor_type.shape.dim))], DIMS[pick(len(DIMS))])
        elif way == 3:
            port.type.tensor_type.elem_type = (1, 6, 7, 9, 11)[pick(5)]
        elif way == 4:
            graph.output.add().CopyFrom(graph.output[pick(len(graph.output))])
            graph.output[-1].name = values[pick(len(values))]
        elif way == 5 and graph.initializer:
            _other_numbers(graph.initializer[pick(len(graph.initializer))], pick)
        elif way == 6 and len(graph.output) > 1:
            del graph.output[pick(len(graph.output))]
    return model.SerializeToString()


def _resize(dim: object, to: int | str) -> None:
    if isinstance(to, int):
        dim.dim_value = to
    else:
        dim.dim_param = to


def _other_numbers(tensor: onnx.TensorProto, pick: Pick) -> None:
    """All of a tensor: zeros, far too large, not finite, or in another order."""
    if tensor.data_location == onnx.TensorProto.EXTERNAL:
        return
    array = onnx.numpy_helper.to_array(tensor).copy()
    with np.errstate(all="ignore"):
        if array.dtype.kind == "f":
            array = array * np.float32((0, 1e30, np.nan, np.inf, -1, 1e-40)[pick(6)])
        else:
            array = array[..., ::-1] if array.ndim and pick(2) else array * (0, -1, 2**20)[pick(3)]
    tensor.CopyFrom(onnx.numpy_helper.from_array(np.ascontiguousarray(array), tensor.name))


def in_its_place(path: Path, outside: Path, pick: Pick) -> None:
    """Put a link, a pipe, a device, a folder, nothing or a file of 100 GB where a file was."""
    content = path.read_bytes()
    path.unlink()
    way = pick(8)
    if way == 0:
        path.symlink_to(outside / "secret")
    elif way == 1:
        (outside / "copy").write_bytes(content)
        path.symlink_to(outside / "copy")
    elif way == 2:
        path.symlink_to(path.name)
    elif way == 3:
        os.mkfifo(path)
    elif way == 4:
        path.symlink_to("/dev/zero")
    elif way == 5:
        path.mkdir()
    elif way == 6:
        path.write_bytes(content)
        os.truncate(path, 100 * 2**30)


def fresh(base: Path, to: Path, only: str = "") -> Path:
    """A copy of sound files, or of `only` one file or folder of them, with a secret beside them."""
    assert not Path.cwd().is_relative_to(to), "whoever asks next where it is would find the folder gone"
    shutil.rmtree(to, ignore_errors=True)
    if (base / only).is_dir():
        shutil.copytree(base / only, to / "here" / only)
    else:
        (to / "here").mkdir(parents=True)
        shutil.copy(base / only, to / "here" / only)
    (to / "outside").mkdir()
    (to / "outside" / "secret").write_bytes(b"nobody reads this")
    return to / "here"


def _leaf(document: dict | list, pick: Pick) -> tuple:
    """A place in a document: its holder and its key there."""
    holder = document
    while True:
        keys = list(holder) if isinstance(holder, dict) else list(range(len(holder)))
        key = keys[pick(len(keys))]
        inner = holder[key]
        if not isinstance(inner, dict | list) or not inner or pick(5) == 0:
            return holder, key
        holder = inner


def _value(old: object, pick: Pick) -> object:
    kinds = [NUMBERS, FLOATS, TEXTS, OTHERS]
    like = 0 if isinstance(old, int) else 1 if isinstance(old, float) else 2 if isinstance(old, str) else 3
    values = kinds[like if pick(2) else pick(4)]
    return values[pick(len(values))]


def _spoil(message: object, pick: Pick) -> None:
    """Change a field that is set, of a message or of one inside it."""
    while True:
        fields = message.ListFields()
        if not fields:
            return
        field, value = fields[pick(len(fields))]
        several = not isinstance(value, str | bytes | int | float) and hasattr(value, "__len__")
        if field.message_type is None or pick(6) == 0:
            break
        message = value[pick(len(value))] if several else value
    if several:
        _spoil_several(value, field.message_type is None, pick)
        return
    if field.message_type is not None or pick(5) == 0:
        message.ClearField(field.name)
        return
    try:
        setattr(message, field.name, _scalar(value, pick))
    except (ValueError, TypeError):  # this field holds no such number
        message.ClearField(field.name)


def _spoil_several(values: object, numbers: bool, pick: Pick) -> None:
    way, at = pick(4), pick(len(values))
    if way == 0:
        del values[at]
    elif not numbers:
        values.add().CopyFrom(values[at])
    elif way == 1:
        values[at] = _scalar(values[at], pick)
    else:
        values.extend([values[at]] * (1 + pick(70)))


def _scalar(old: object, pick: Pick) -> object:
    if isinstance(old, bytes):
        return anyhow(old, pick)
    if isinstance(old, str):
        return TEXTS[pick(len(TEXTS))]
    if isinstance(old, float):
        return float("nan") if pick(2) else 0.5
    return (0, 1, -1, 2, 3, 7, 8, 1000, 2**31 - 1, -(2**31))[pick(10)]
