"""Bare layers with weights at random, the same each time: on their own, or exported as a grid asks for them."""

import contextlib
from collections.abc import Callable
from pathlib import Path

import psutil

from lstmbench.errors import CheckpointError, RecordError
from lstmbench.export import Storage, default_form, export, find
from lstmbench.model import folder
from lstmbench.model.weights import parameter_bytes, parameter_count, random_weights
from lstmbench.records import ExportedModel, Layers, ModelConfig, ModelFolder

_TIMES = 6  # what drawing and writing weights takes, over what they take themselves: they are drawn in float64
_GAIN = 0.5  # keeps what is far from saturation there: a cell that amplifies rounding could not be checked


def initialised(config: ModelConfig, path: Path, *, seed: int) -> None:
    """Write a model folder of bare layers; CheckpointError where one holds a model already, or memory is too small."""
    need, have = _TIMES * parameter_bytes(config), psutil.virtual_memory().available
    if need > have:
        raise CheckpointError(
            f"layers of {parameter_count(config):,} parameters take {need / 1e9:,.1f} GB to make, this machine has "
            f"{have / 1e9:,.1f} free; take a smaller --hidden"
        )
    folder.create(path, ModelFolder(model=config), random_weights(config, seed=seed, gain=_GAIN))


def made(layers: Layers, path: Path, *, progress: Callable[[str], None]) -> list[ExportedModel]:
    """A model folder of each cell under `path`, and its export; what is there already is taken as it is.

    CheckpointError where a folder of that name holds another model, ExportError as `export`.
    """
    return [_made(config, path / _name(config), progress) for config in layers.models()]


def _made(config: ModelConfig, path: Path, progress: Callable[[str], None]) -> ExportedModel:
    weights = random_weights(config, seed=0, gain=_GAIN)
    if not (path / folder.WEIGHTS).exists():
        progress(f"making {path}")
        folder.write_config(path, ModelFolder(model=config))
        folder.write_weights(path, weights, folder.WeightsNote(sha256=""))
    found, form = folder.read(path), default_form(config.peephole)
    if found.folder.model != config:
        raise CheckpointError(f"{path} holds another model: move it, or give another folder")
    with contextlib.suppress(RecordError):  # a kill fell between the file and its record: made again
        for exported in find(path):
            of_these = exported.record.weights_sha256 == found.note.sha256
            if of_these and (exported.record.form, exported.record.precision) == (form, "fp32"):
                return exported
    progress(f"exporting {path}")
    return export(path, storage=Storage(force=True))


def _name(config: ModelConfig) -> str:
    stack = f"-L{config.num_layers}" * (config.num_layers > 1) + "-bidirectional" * config.bidirectional
    return f"{config.peephole}-{config.input_size}x{config.hidden_size}{stack}"
