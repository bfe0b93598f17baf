"""One ONNX file to its inspection."""

import hashlib
from collections import Counter
from pathlib import Path

import onnx_ir as ir

from lstmbench.errors import RecordError
from lstmbench.inspect import axes, claims, operators, sound, summary, tensors, traps, written
from lstmbench.inspect.attends import attention
from lstmbench.inspect.flow import Flow
from lstmbench.inspect.inspection import Inspection, Port, Recurrence
from lstmbench.inspect.states import contract
from lstmbench.inspect.tensors import Constants, shape
from lstmbench.onnxfile import external, opening


def inspect(path: Path) -> Inspection:
    """Read one file, ours or not; RecordError where it is no ONNX model.

    External data is looked at only where it decides which cell this is, and never outside the file's folder.
    """
    data, model = opening.read(path)
    try:
        return _inspection(path, data, model)
    except (TypeError, ValueError, IndexError, KeyError):
        opening.demand_valid(path, data)  # whose fault it is
        raise


def recurrences(path: Path) -> tuple[Flow, Constants, tuple[Recurrence, ...]]:
    """The recurrences of a file, and what they were followed by; RecordError where it is no ONNX model."""
    data, model = opening.read(path)
    try:
        flow = _flow(path, model)
        constants = Constants(flow, path.parent)
        return flow, constants, _rows(flow, constants)
    except (TypeError, ValueError, IndexError, KeyError):
        opening.demand_valid(path, data)
        raise


def _inspection(path: Path, data: bytes, model: ir.Model) -> Inspection:
    flow = _flow(path, model)
    constants = Constants(flow, path.parent)
    rows, nodes = _rows(flow, constants), [node for place in flow.places for node in place.nodes]
    told, out = summary.summarise(flow, rows), summary.output_size(flow, rows)
    head, vocabulary = summary.head(flow, constants, out)
    opsets = {domain or "ai.onnx": version for domain, version in model.opset_imports.items()}
    inputs = _inputs(flow, constants)
    attends = attention(flow, constants)
    parameters, beside = tensors.parameters(flow.tensors), external.files(path.parent, flow.tensors)
    precision, said = tensors.precision(nodes, flow.tensors), claims.claims(model.metadata_props)
    found = {
        "form": told.form,
        "head": head if rows else None,
        "peephole": told.cell,
        "precision": precision,
        "input_size": told.input_size,
        "hidden_size": told.hidden_size,
        "num_layers": told.num_layers,
        "bidirectional": None if told.directions is None else told.directions == 2,
        "vocabulary_size": vocabulary,
        "lengths": "lengths" in {value.name for value in flow.inputs},
        "attention": attends is not None,
    }
    sha256 = hashlib.sha256(data).hexdigest()
    return Inspection(
        file=str(path),
        size_bytes=len(data),
        sha256=sha256,
        external=beside,
        ir_version=model.ir_version,
        opsets=opsets,
        producer=f"{model.producer_name or ''} {model.producer_version or ''}".strip(),
        form=told.form,
        head=head if rows else None,
        cell=told.cell,
        precision=precision,
        input_size=told.input_size,
        hidden_size=told.hidden_size,
        num_layers=told.num_layers,
        directions=told.directions,
        vocabulary_size=vocabulary,
        output_size=out,
        inputs=inputs,
        outputs=tuple(_port(value, None) for value in flow.outputs),
        attention=attends,
        contract=contract(rows) if rows else "no recurrence here",
        recurrences=rows,
        nodes=dict(Counter(_operator(node) for node in nodes).most_common()),
        parameters=parameters,
        claims=said,
        disagreements=(
            *claims.disagreements(said, found, ", ".join(dict.fromkeys(row.why for row in rows))),
            *claims.of_data(said, path, beside),
            *claims.of_record(path, sha256),
        ),
        warnings=(
            *traps.of_file(model.ir_version, opsets.get("ai.onnx", 0), beside),
            *traps.of_time(rows, inputs, axes.frozen_reshapes(flow, constants) if rows else ()),
            *traps.of_operators(rows, frozenset(row.dtype for row in parameters)),
            *traps.of_loops(rows),
        ),
    )


def _flow(path: Path, model: ir.Model) -> Flow:
    """All graphs, after a look whether they are whole."""
    try:
        flow = Flow(model)
        fault = sound.fault(flow, model)
    except ValueError as error:  # a type that does not exist
        raise RecordError(f"{path} is damaged ONNX: {error}") from error
    if fault is not None:
        raise RecordError(f"{path} is damaged ONNX: {fault[:200]}")
    return flow


def _rows(flow: Flow, constants: Constants) -> tuple[Recurrence, ...]:
    found: list[Recurrence] = []
    for place in flow.places:
        found += operators.rows(flow, constants, place) + written.loops(flow, constants, place)
        if place.owner is None or place.owner.op_type not in written.LOOPS:
            found += written.chains(flow, constants, place)
    return tuple(found)


def _inputs(flow: Flow, constants: Constants) -> tuple[Port, ...]:
    along = axes.time_axes(flow, constants)
    return tuple(_port(value, along.get(value)) for value in flow.inputs)


def _port(value: ir.Value, time_axis: int | None) -> Port:
    dtype = "?" if value.dtype is None else value.dtype.name.lower()
    return Port(name=value.name or "", dtype=dtype, shape=shape(value), time_axis=time_axis)


def _operator(node: ir.Node) -> str:
    return node.op_type if node.domain in {"", "ai.onnx"} else f"{node.domain}.{node.op_type}"
