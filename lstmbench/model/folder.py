"""A model's folder: `config.json`, `weights.safetensors`, `vocabulary.json`; read without torch, never a pickle."""

from pathlib import Path

import msgspec
import numpy as np
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save

from lstmbench import disk
from lstmbench.arrays import Weights
from lstmbench.errors import CheckpointError
from lstmbench.model.weights import digest, expected_shapes
from lstmbench.records import ModelFolder, Record, Score

CONFIG, WEIGHTS, VOCABULARY = "config.json", "weights.safetensors", "vocabulary.json"


class WeightsNote(Record, frozen=True, kw_only=True):
    """What the weights file says of itself, in its safetensors header, so that one rename replaces all of it."""

    sha256: str
    step: int = 0  # of training, at which these weights were the best
    valid: Score | None = None
    test: Score | None = None  # absent until training ended


class Checkpoint(Record, frozen=True, kw_only=True):
    """A model folder that was read and found whole."""

    path: str
    folder: ModelFolder
    note: WeightsNote
    weights: Weights


def read(path: Path) -> Checkpoint:
    """Read and validate a model folder; CheckpointError in one line where something is missing, foreign or damaged."""
    if not (path / CONFIG).is_file():
        raise CheckpointError(f"{path} is no model folder: it has no {CONFIG}; train one with 'lstmbench train'")
    folder = disk.read_record(path / CONFIG, ModelFolder)
    if not (path / WEIGHTS).is_file():
        raise CheckpointError(f"{path} has no {WEIGHTS} yet; run its 'lstmbench train' command to the end")
    weights, note = _read_weights(path / WEIGHTS)
    _demand_shapes(path, folder, weights)
    if digest(weights) != note.sha256:
        raise CheckpointError(f"{path / WEIGHTS} is damaged: its tensors do not match the digest in its header")
    return Checkpoint(path=str(path), folder=folder, note=note, weights=weights)


def is_finished(path: Path) -> bool:
    """Whether there is nothing left to train: weights of a training bear their test score, bare layers have none."""
    if not (path / WEIGHTS).exists():
        return False
    checkpoint = read(path)
    return checkpoint.folder.training is None or checkpoint.note.test is not None


def write_config(path: Path, folder: ModelFolder) -> None:
    """Create the folder and write `config.json`."""
    disk.make_folder(path)
    disk.write_record(path / CONFIG, folder)


def write_weights(path: Path, weights: Weights, note: WeightsNote) -> None:
    """Write `weights.safetensors` with its note in the header, atomically; the digest is filled in here."""
    note = msgspec.structs.replace(note, sha256=digest(weights))
    header = {"lstmbench": msgspec.json.encode(note).decode()}
    disk.write_atomically(path / WEIGHTS, save(weights, metadata=header))


def _read_weights(file: Path) -> tuple[Weights, WeightsNote]:
    try:
        with safe_open(file, framework="numpy") as tensors:
            note = (tensors.metadata() or {}).get("lstmbench")
            weights = {name: tensors.get_tensor(name) for name in tensors.keys()}  # noqa: SIM118 (no mapping)
    except (SafetensorError, OSError, ValueError, TypeError) as error:
        raise CheckpointError(f"{file} is damaged: {error}; restore it or train again") from error
    if note is None:
        raise CheckpointError(f"{file} was not written by lstmbench: its header holds no 'lstmbench' entry")
    try:
        return weights, msgspec.json.decode(note, type=WeightsNote)
    except msgspec.MsgspecError as error:
        raise CheckpointError(f"{file} was written by another version: {error}") from error


def _demand_shapes(path: Path, folder: ModelFolder, weights: Weights) -> None:
    want = expected_shapes(folder.model)
    for name in sorted(want.keys() ^ weights.keys()):
        kind = "lacks" if name in want else "has an unknown"
        raise CheckpointError(f"{path / WEIGHTS} {kind} tensor {name!r} for the model in {CONFIG}")
    for name, tensor in weights.items():
        if tensor.shape != want[name] or tensor.dtype != np.float32:
            raise CheckpointError(
                f"{path / WEIGHTS}: {name} is {tensor.dtype} {tensor.shape}, {CONFIG} says float32 {want[name]}"
            )
        if not np.isfinite(tensor).all():
            raise CheckpointError(f"{path / WEIGHTS}: {name} holds NaN or infinity; train again with a lower rate")
