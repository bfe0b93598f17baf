"""`lstmbench inspect`: what an ONNX file is, ours or another's, without running it."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from lstmbench.cli.screen import document, facts, first, say, table
from lstmbench.units import count

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lstmbench.inspect.inspection import Inspection, Port, Recurrence
    from lstmbench.onnxfile.external import External

_LONG = 64  # characters of a metadata value that is shown


def inspect(
    file: Annotated[Path, typer.Argument(help="An ONNX file, of this or any other exporter.")],
    *,
    json: Annotated[bool, typer.Option("--json", help="One JSON document instead of tables.")] = False,
) -> None:
    """Tell form, cell, states, sizes, precision and traps of an ONNX file; exit status 1 if its metadata is wrong."""
    from lstmbench.inspect import inspect as run

    found = run(file)
    if json:
        document(found)
    else:
        _show(found)
    if found.disagreements:
        raise typer.Exit(1)


def _show(found: "Inspection") -> None:
    facts(_file(found))
    typer.echo()
    facts(_model(found))
    if found.recurrences:
        columns = ["recurrence", "operator", "direction", "cell", "E", "H", "steps"]
        _table(columns, [_row(row) for row in found.recurrences], left=4)
    ports = [_port("in", port) for port in found.inputs] + [_port("out", port) for port in found.outputs]
    _table(["", "name", "type", "shape"], ports, left=4)
    sizes = [[row.dtype, f"{row.tensors:,}", count(row.elements), _size(row.size_bytes)] for row in found.parameters]
    table("", ["constants", "tensors", "elements", "size"], sizes)
    facts([("nodes", f"{sum(found.nodes.values()):,}: " + ", ".join(f"{n} {name}" for name, n in found.nodes.items()))])
    if found.warnings or found.disagreements:
        typer.echo()
        facts(_noted(found))


def _table(columns: list[str], rows: "list[list[str]]", *, left: int) -> None:
    shown, more = first(rows)
    table("", columns, shown, left=left)
    if more:
        say(f" {more}")


def _noted(found: "Inspection") -> "Iterator[tuple[str, str]]":
    lines = [["DISAGREES", line] for line in found.disagreements] + [["!", line] for line in found.warnings]
    shown, more = first(lines)
    yield from ((word, line) for word, line in shown)
    if more:
        yield "", more


def _file(found: "Inspection") -> "Iterator[tuple[str, str]]":
    yield "file", f"{found.file}, {_size(found.size_bytes)}"
    yield "sha256", found.sha256
    opsets = ", ".join(f"{domain} {version}" for domain, version in found.opsets.items())
    yield "written", f"by {found.producer or 'an unnamed producer'}; IR version {found.ir_version}, opset {opsets}"
    yield "external", ", ".join(map(_external, found.external)) or "none"
    if found.claims:
        shown = (f"{name} {value}" for name, value in found.claims.items() if len(value) <= _LONG)
        yield "metadata", ", ".join(shown)
        hidden = [f"{name} ({len(value):,} characters)" for name, value in found.claims.items() if len(value) > _LONG]
        if hidden:
            yield "", f"and {', '.join(hidden)}"


def _model(found: "Inspection") -> "Iterator[tuple[str, str]]":
    if not found.recurrences:
        yield "model", "no recurrence here"
        return
    words = {"form": found.form, "head": found.head, "cell": found.cell, "precision": found.precision}
    yield "model", ", ".join(f"{name} {value or 'not told'}" for name, value in words.items())
    sizes = {"E": found.input_size, "H": found.hidden_size, "L": found.num_layers, "D": found.directions}
    sizes["V"] = found.vocabulary_size
    if found.output_size not in {found.vocabulary_size, _joined(found)}:
        sizes["out"] = found.output_size
    yield "sizes", ", ".join(f"{name} {value}" for name, value in sizes.items() if value is not None)
    if found.attention:
        yield "attention", f"steps of a call read others, {found.attention}"
    yield "contract", found.contract


def _joined(found: "Inspection") -> int | None:
    """D·H, what bare layers give."""
    return None if found.hidden_size is None or found.directions is None else found.hidden_size * found.directions


def _row(row: "Recurrence") -> list[str]:
    told = "; ".join((f"{row.cell or 'not told'} ({row.why})", *row.options))
    name = f"{row.name} in {row.where}" if row.where else row.name
    numbers = [str(size) if size is not None else "" for size in (row.input_size, row.hidden_size, row.steps)]
    return [name, row.operator, row.direction, told, *numbers]


def _port(way: str, port: "Port") -> list[str]:
    if port.shape is None:
        return [way, port.name, port.dtype, "not declared"]
    dims = ["?" if dim is None else str(dim) for dim in port.shape]
    if port.time_axis is not None and port.time_axis < len(dims) and dims[port.time_axis] != "T":
        dims[port.time_axis] += "=T" if dims[port.time_axis].isdigit() else " (T)"
    return [way, port.name, port.dtype, f"({', '.join(dims)})"]


def _external(file: "External") -> str:
    size = "" if file.size_bytes is None else f", {_size(file.size_bytes)}"
    return f"{file.file}{size}, {file.tensors} tensors{': ' if file.problem else ''}{file.problem}"


def _size(size_bytes: int) -> str:
    return f"{size_bytes / 1e6:.2f} MB" if size_bytes >= 1e6 else f"{size_bytes / 1e3:.1f} kB"
