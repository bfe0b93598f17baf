"""Checkpoint -> graph -> bytes -> a file that was proved before it took its name."""

from pathlib import Path

import msgspec

from lstmbench import disk
from lstmbench.arrays import Tokens
from lstmbench.errors import ExportError
from lstmbench.export.files import file_name
from lstmbench.export.forms import default_form, demand_form, demand_lengths, demand_tokens
from lstmbench.export.opset import IR_VERSIONS, demand_opset
from lstmbench.export.place import demand_free, draft_folder, put
from lstmbench.export.precisions import demand_precision
from lstmbench.export.serialise import serialise, store
from lstmbench.export.source import Source, of_head
from lstmbench.export.storage import DEFAULT, Storage
from lstmbench.export.verify import demand_runtime, verify
from lstmbench.model import folder as model_folder
from lstmbench.model.folder import Checkpoint
from lstmbench.model.weights import digest, most_file_bytes
from lstmbench.records import ExportedModel, ExportRecord, Form, Head, Precision


def export(  # noqa: PLR0913 (what to write, how, and what to prove it with)
    folder: Path,
    *,
    head: Head | None = None,
    form: Form | None = None,
    precision: Precision = "fp32",
    lengths: bool = False,
    held_out: Tokens | None = None,
    storage: Storage = DEFAULT,
) -> ExportedModel:
    """Write `<form>-<precision>.onnx` and its record into a model folder, after it was run and compared.

    Head: the model's own if not given; form: `lstm` where it can hold the cell, else `scan`. ExportError where head or
    form cannot be, where the name is taken, or where the file failed its proof: then nothing of it is left, and an
    older file stays. A precision below fp32 is scored on `held_out` tokens (N,) too, head `layer` on random features,
    and of `generate`, which gives no logits, form `step`.

    With `lengths` the graph takes one of each row, `<form>-<precision>-lengths.onnx`: beyond it the row keeps its state
    and its y is zero, which head `lm` projects to its bias.
    """
    demand_runtime()
    source = _source(model_folder.read(folder), head, lengths=lengths)
    form = form or default_form(source.config.peephole)
    demand_form(source.config.peephole, form, attention=source.config.attention)
    if lengths:
        demand_lengths(source.config.peephole, form)
    demand_precision(form, precision)
    demand_tokens(source.config.head, form)
    demand_opset(storage.opset)
    with draft_folder(folder) as aside:
        written = _write(aside, source, form, precision, folder, storage)
        demand_free(folder, written, force=storage.force)
        proof = verify(ExportedModel(folder=str(aside), record=written), source.weights, held_out)
        if form == "generate" and precision != "fp32" and held_out is not None:  # tokens cannot be scored, a step can
            step = _write(aside, source, "step", precision, folder, storage)
            scored = verify(ExportedModel(folder=str(aside), record=step), source.weights, held_out)
            proof = proof._replace(quality=scored.quality)
        record = msgspec.structs.replace(written, **proof._asdict())
        put(aside, folder, record)
    return ExportedModel(folder=str(folder), record=record)


def _source(checkpoint: Checkpoint, head: Head | None, *, lengths: bool) -> Source:
    config = checkpoint.folder.model
    if head == "lm" and config.head == "layer":
        raise ExportError(f"{checkpoint.path} holds bare layers, no embedding and no projection; take head 'layer'")
    return of_head(head or config.head, config, checkpoint.weights, lengths=lengths)


def _write(
    aside: Path, source: Source, form: Form, precision: Precision, folder: Path, storage: Storage
) -> ExportRecord:
    """Write a graph aside -> its record, without a proof yet."""
    record = _record(source, form, precision, storage)
    model = serialise(source, form, precision, folder, opset=storage.opset)
    data = store(model, aside / record.file, external_data=storage.external_data)
    sha256 = disk.sha256(aside / record.file, most_bytes=most_file_bytes(source.config))
    return msgspec.structs.replace(record, sha256=sha256, data=data)


def _record(source: Source, form: Form, precision: Precision, storage: Storage) -> ExportRecord:
    """What is known before the file is written and proved."""
    return ExportRecord(
        file=file_name(source.config.head, form, precision, lengths=source.lengths),
        sha256="",
        model=source.config,
        form=form,
        precision=precision,
        lengths=source.lengths,
        opset=storage.opset,
        ir_version=IR_VERSIONS[storage.opset],
        weights_sha256=digest(source.weights),
        verified=(),
        verified_with="",
    )
