"""A model's folder: `config.json`, `weights.safetensors`, `vocabulary.json`; read without torch, never a pickle."""

from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import psutil
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save

from lstmbench import disk
from lstmbench.arrays import Weights
from lstmbench.errors import CheckpointError
from lstmbench.model.weights import digest, expected_shapes, parameter_bytes
from lstmbench.ordinary import opened
from lstmbench.records import ModelConfig, ModelFolder, Record, Score

CONFIG, WEIGHTS, VOCABULARY = "config.json", "weights.safetensors", "vocabulary.json"
_HEADER_BYTES, _NAME_BYTES = 2**20, 2**8  # of the weights file: its note, and what it says of each tensor


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
    weights, note = _read_weights(path / WEIGHTS, folder.model)
    _demand_finite(path / WEIGHTS, weights)
    if digest(weights) != note.sha256:
        raise CheckpointError(f"{path / WEIGHTS} is damaged: its tensors do not match the digest in its header")
    return Checkpoint(path=str(path), folder=folder, note=note, weights=weights)


def is_finished(path: Path) -> bool:
    """Whether there is nothing left to train: weights of a training bear their test score, bare layers have none."""
    if not (path / WEIGHTS).exists():
        return False
    checkpoint = read(path)
    return checkpoint.folder.training is None or checkpoint.note.test is not None


def copy(path: Path, to: Path) -> None:
    """Copy what a model is made of, its vocabulary too if it has one, into a new folder."""
    checkpoint = read(path)
    write_config(to, checkpoint.folder)
    write_weights(to, checkpoint.weights, checkpoint.note)
    if (path / VOCABULARY).exists():
        disk.write_atomically(to / VOCABULARY, disk.read_bytes(path / VOCABULARY))


def create(path: Path, folder: ModelFolder, weights: Weights) -> None:
    """Write a model's folder where there is none; CheckpointError where one holds a model already."""
    disk.make_folder(path)
    with disk.locked(path):
        if (path / CONFIG).exists():
            raise CheckpointError(f"{path} holds a model already: choose another folder, or delete it")
        write_weights(path, weights, WeightsNote(sha256=""))
        write_config(path, folder)


def write_config(path: Path, folder: ModelFolder) -> None:
    """Create the folder and write `config.json`."""
    disk.make_folder(path)
    disk.write_record(path / CONFIG, folder)


def write_weights(path: Path, weights: Weights, note: WeightsNote) -> None:
    """Write `weights.safetensors` with its note in the header, atomically; the digest is filled in here."""
    note = msgspec.structs.replace(note, sha256=digest(weights))
    header = {"lstmbench": msgspec.json.encode(note).decode()}
    disk.write_atomically(path / WEIGHTS, save(weights, metadata=header))


def most_weight_bytes(model: ModelConfig) -> int:
    """What `weights.safetensors` of a model takes at most."""
    return parameter_bytes(model) + _HEADER_BYTES + _NAME_BYTES * len(expected_shapes(model))


def _read_weights(file: Path, model: ModelConfig) -> tuple[Weights, WeightsNote]:
    """The tensors, once their names, types and shapes were seen to be the model's: no header is believed before."""
    _demand_memory(file, model)
    try:
        with opened(file, most_bytes=most_weight_bytes(model)), safe_open(file, framework="numpy") as tensors:
            _demand_shapes(file, model, tensors)
            note = (tensors.metadata() or {}).get("lstmbench")
            weights = {name: tensors.get_tensor(name) for name in tensors.keys()}  # noqa: SIM118 (no mapping)
    except (SafetensorError, OSError, ValueError, TypeError) as error:
        raise CheckpointError(f"{file} is damaged: {error}; restore it or train again") from error
    if note is None:
        raise CheckpointError(f"{file} was not written by lstmbench: its header holds no 'lstmbench' entry")
    try:
        return weights, msgspec.json.decode(note, type=WeightsNote)
    except (msgspec.MsgspecError, RecursionError) as error:
        raise CheckpointError(f"{file} was written by another version: {error}") from error


def _demand_memory(file: Path, model: ModelConfig) -> None:
    need, have = parameter_bytes(model), psutil.virtual_memory().available
    if need > have:
        raise CheckpointError(f"{file} takes {need / 1e9:,.0f} GB of memory, this machine has {have / 1e9:,.1f} free")


def _demand_shapes(file: Path, model: ModelConfig, tensors: Any) -> None:
    want, held = expected_shapes(model), set(tensors.keys())
    for name in sorted(want.keys() ^ held):
        kind = "lacks" if name in want else "has an unknown"
        raise CheckpointError(f"{file} {kind} tensor {name!r} for the model in {CONFIG}")
    for name, shape in want.items():
        found = tensors.get_slice(name)
        if found.get_dtype() != "F32" or tuple(found.get_shape()) != shape:
            there = f"{found.get_dtype()} {tuple(found.get_shape()[:8])}"
            raise CheckpointError(f"{file}: {name} is {there}, {CONFIG} says F32 {shape}")


def _demand_finite(file: Path, weights: Weights) -> None:
    for name, tensor in weights.items():
        if not np.isfinite(tensor).all():
            raise CheckpointError(f"{file}: {name} holds NaN or infinity; train again with a lower rate")
