"""What an adapter is held to its contract with: exports of a small model, sound and damaged, made for the purpose."""

import hashlib
import tempfile
from collections.abc import Callable
from pathlib import Path

from msgspec.structs import replace

from lstmbench.conformance import Finding, Subject, conformance
from lstmbench.export import export
from lstmbench.model import folder
from lstmbench.model.weights import random_weights
from lstmbench.records import ExportedModel, Form, ModelConfig, ModelFolder, Peephole

_CELLS: dict[Form, Peephole] = {"lstm": "diagonal", "scan": "full", "loop": "full"}
_NOT_A_MODEL = b"damaged " * 64


def conform(
    runtime: str, *, form: Form = "scan", timeout_s: float = 120, progress: Callable[[str], None]
) -> tuple[Finding, ...]:
    """Hold an adapter to the contract, on an export of this form; ExportError as `export`."""
    with tempfile.TemporaryDirectory() as aside:
        progress("exporting")
        return conformance(_subject(Path(aside), runtime, form, timeout_s), progress)


def _subject(aside: Path, runtime: str, form: Form, timeout_s: float) -> Subject:
    sound, broken = (_model(aside / name, form) for name in ("sound", "damaged"))
    exported = export(sound, form=form)
    return Subject(
        runtime,
        exported,
        with_lengths=export(sound, form=form, lengths=True),
        damaged=_damaged(broken, exported),
        timeout_s=timeout_s,
    )


def _model(path: Path, form: Form) -> Path:
    config = ModelConfig(
        head="lm", vocabulary_size=41, peephole=_CELLS[form], input_size=48, hidden_size=64, num_layers=2
    )
    folder.write_config(path, ModelFolder(model=config))
    folder.write_weights(path, random_weights(config, seed=3, gain=0.5), folder.WeightsNote(sha256=""))
    return path


def _damaged(path: Path, exported: ExportedModel) -> ExportedModel:
    """Its record knows of nothing: whoever reads the file or the weights finds out for itself."""
    (path / exported.record.file).write_bytes(_NOT_A_MODEL)
    (path / folder.WEIGHTS).write_bytes(_NOT_A_MODEL)
    record = replace(exported.record, sha256=hashlib.sha256(_NOT_A_MODEL).hexdigest())
    return ExportedModel(folder=str(path), record=record)
