"""Checkpoint -> graph -> bytes -> a file that was proved before it took its name."""

import contextlib
import hashlib
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import msgspec

from lstmbench import disk
from lstmbench.arrays import Tokens
from lstmbench.errors import ExportError
from lstmbench.export.files import file_name
from lstmbench.export.forms import default_form, demand_form, demand_lengths, demand_tokens
from lstmbench.export.nodes import IR_VERSION, OPSET
from lstmbench.export.precisions import demand_precision
from lstmbench.export.serialise import serialise
from lstmbench.export.source import Source, of_head
from lstmbench.export.verify import demand_runtime, verify
from lstmbench.model import folder as model_folder
from lstmbench.model.folder import Checkpoint
from lstmbench.model.weights import digest
from lstmbench.records import ExportedModel, ExportRecord, Form, Head, Precision


def export(
    folder: Path,
    *,
    head: Head | None = None,
    form: Form | None = None,
    precision: Precision = "fp32",
    lengths: bool = False,
    held_out: Tokens | None = None,
) -> ExportedModel:
    """Write `<form>-<precision>.onnx` and its record into a model folder, after it was run and compared.

    Head: the model's own if not given; form: `lstm` where it can hold the cell, else `scan`. ExportError where head or
    form cannot be, or where the file failed its proof: then nothing of it is left, and an older file stays. A precision
    below fp32 is scored on `held_out` tokens (N,) too, head `layer` on random features. With `lengths` the graph takes
    one of each row, `<form>-<precision>-lengths.onnx`: beyond it the row keeps its state and its y is zero, which head
    `lm` projects to its bias.
    """
    demand_runtime()
    source = _source(model_folder.read(folder), head, lengths=lengths)
    form = form or default_form(source.config.peephole)
    demand_form(source.config.peephole, form)
    if lengths:
        demand_lengths(source.config.peephole, form)
    demand_precision(form, precision)
    demand_tokens(source.config.head, form)
    data = serialise(source, form, precision, folder)
    return _keep(folder, data, source, _record(source, form, precision, data), held_out)


def _source(checkpoint: Checkpoint, head: Head | None, *, lengths: bool) -> Source:
    config = checkpoint.folder.model
    if head == "lm" and config.head == "layer":
        raise ExportError(f"{checkpoint.path} holds bare layers, no embedding and no projection; take head 'layer'")
    return of_head(head or config.head, config, checkpoint.weights, lengths=lengths)


def _record(source: Source, form: Form, precision: Precision, data: bytes) -> ExportRecord:
    """What is known before the proof."""
    return ExportRecord(
        file=file_name(source.config.head, form, precision, lengths=source.lengths),
        sha256=hashlib.sha256(data).hexdigest(),
        model=source.config,
        form=form,
        precision=precision,
        lengths=source.lengths,
        opset=OPSET,
        ir_version=IR_VERSION,
        weights_sha256=digest(source.weights),
        verified=(),
        verified_with="",
    )


def _keep(folder: Path, data: bytes, source: Source, record: ExportRecord, held_out: Tokens | None) -> ExportedModel:
    """Write the file aside, prove it there, then give it its place; its record follows."""
    with _draft_folder(folder) as aside:
        disk.write_atomically(aside / record.file, data)
        proof = verify(ExportedModel(folder=str(aside), record=record), source.weights, held_out)
        with disk.writing(folder / record.file):
            (aside / record.file).replace(folder / record.file)
    record = msgspec.structs.replace(record, **proof._asdict())
    disk.write_record((folder / record.file).with_suffix(".json"), record)
    return ExportedModel(folder=str(folder), record=record)


@contextlib.contextmanager
def _draft_folder(folder: Path) -> Iterator[Path]:
    """A folder beside the final place, on the same disk; gone afterwards, whatever happens."""
    with disk.writing(folder):
        aside = Path(tempfile.mkdtemp(prefix=".export-", dir=folder))
    try:
        yield aside
    finally:
        shutil.rmtree(aside, ignore_errors=True)
