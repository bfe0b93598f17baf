"""What will break where: traps of runtimes that were measured, as far as this file walks into them."""

from collections.abc import Iterable, Iterator

from lstmbench.inspect.inspection import Port, Recurrence
from lstmbench.onnxfile.external import External

_OPSET, _IR_VERSION = 21, 10  # the most that ONNX Runtime 1.20 loads


def of_file(ir_version: int, opset: int, external: Iterable[External]) -> Iterator[str]:
    """What stops a file from being loaded at all."""
    yield from (f"external data {file.file!r}: {file.problem}" for file in external if file.problem)
    if ir_version > _IR_VERSION:
        yield f"ONNX Runtime 1.20 refuses an IR version above {_IR_VERSION}; this is {ir_version}"
    if opset > _OPSET:
        yield f"ONNX Runtime 1.20 refuses an opset above {_OPSET}; this is {opset}"


def of_time(
    rows: Iterable[Recurrence], inputs: Iterable[Port], reshapes: Iterable[tuple[str, list[int]]]
) -> Iterator[str]:
    """What holds for one length only."""
    for port in inputs:
        size = None if port.shape is None or port.time_axis is None else port.shape[port.time_axis]
        if isinstance(size, int):
            yield f"T is frozen at {size} in input {port.name!r}: other lengths are refused"
    for row in rows:
        if row.steps is not None and row.steps > 1:
            yield f"{row.name}: {row.steps} steps are written into the graph, whatever the input's length"
    for name, sizes in reshapes:
        yield f"{name}: a Reshape to {sizes} freezes the shape of what was exported with"


def of_operators(rows: Iterable[Recurrence], dtypes: frozenset[str]) -> Iterator[str]:
    """What runtimes do with the LSTM operator."""
    rows = [row for row in rows if row.operator in {"LSTM", "GRU", "RNN", "DynamicQuantizeLSTM"}]
    options = [word for row in rows for option in row.options for word in option.split()[:1]]
    peepholes = any(row.operator == "LSTM" and "P" in row.why.split() for row in rows if row.why != "no input P")
    if "layout" in options:
        yield "ONNX Runtime refuses layout 1 when it loads the file"
    if "double" in dtypes and rows:
        yield "ONNX Runtime registers the LSTM for double and throws when it runs"
    if any(row.operator == "LSTM" and row.cell == "diagonal" for row in rows):
        yield "OpenVINO 2025.0 to 2026.4 and IREE 3.13 compute an LSTM with P without its peepholes, and do not warn"
        yield "OpenCV 4.11 and 5.0 take P in the wrong order"
    if "clip" in options:
        yield "ONNX Runtime does not apply clip to the new cell state"
    if {"clip", "sequence_lens", "input_forget", "activations"} & set(options):
        yield "onnx's ReferenceEvaluator ignores sequence_lens, clip, input_forget and activations: no oracle here"
    if "sequence_lens" in options:
        yield "ONNX Runtime gives zero states, not h_0 and c_0, for a row of length 0"
    if peepholes or {"clip", "input_forget", "activations"} & set(options):
        yield "ONNX Runtime's CUDA provider hands this LSTM to the CPU"
    if "float16" in dtypes and any(row.operator == "LSTM" for row in rows):
        yield "ONNX Runtime's CPU runs an LSTM of fp16 in float32, between Casts that it inserts"
    if any(row.operator == "DynamicQuantizeLSTM" for row in rows):
        yield "DynamicQuantizeLSTM is ONNX Runtime's own operator: no other runtime has it"


def of_loops(rows: Iterable[Recurrence]) -> Iterator[str]:
    """What runtimes do with Scan and Loop."""
    kinds = {row.operator for row in rows}
    if "Scan" in kinds:
        yield "IREE 3.13 returns only the last step of a Scan over an open T; MNN 3.6 and TVM refuse Scan"
    if "Loop" in kinds:
        yield "tract 0.23, IREE 3.13 and OpenVINO's provider in ONNX Runtime fail on Loop"
    if kinds & {"Scan", "Loop"}:
        yield "ONNX Runtime: Scan and Loop cannot be captured in a CUDA graph; with WebGPU their node runs on the CPU"
