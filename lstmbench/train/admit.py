"""Whether a model may be trained in a folder, and on this machine; asked before anything is written."""

from collections.abc import Iterator
from pathlib import Path

import msgspec
import psutil

from lstmbench import disk
from lstmbench.errors import CheckpointError
from lstmbench.model import folder as model_folder
from lstmbench.model.weights import parameter_count
from lstmbench.records import ModelConfig, ModelFolder

BYTES_A_PARAMETER = 16  # itself, its gradient, two moments of AdamW


def demand_folder(path: Path, folder: ModelFolder) -> None:
    """CheckpointError unless this very model may be trained, or was, in `path`."""
    if not (path / model_folder.CONFIG).exists():
        # what begins with a dot is a lock, or was left by a kill
        if path.is_dir() and not all(file.name.startswith(".") for file in path.iterdir()):
            raise CheckpointError(f"{path} holds files that are no model; choose another name")
        return
    there = disk.read_record(path / model_folder.CONFIG, ModelFolder)
    if there != folder:
        differing = ", ".join(_differing(there, folder))
        raise CheckpointError(
            f"{path} holds a model of other settings or text ({differing}); choose another name or another --models, "
            f"or delete it"
        )


def demand_memory(model: ModelConfig) -> None:
    """CheckpointError if the parameters and what the optimizer keeps of them exceed the machine's memory."""
    need, have = BYTES_A_PARAMETER * parameter_count(model), psutil.virtual_memory().total
    if need > have:
        raise CheckpointError(
            f"a model of {parameter_count(model):,} parameters takes {need / 1e9:,.0f} GB to train, this machine has "
            f"{have / 1e9:,.0f}; take a smaller --hidden"
        )


def _differing(one: ModelFolder, other: ModelFolder) -> Iterator[str]:
    for part in ("model", "training", "corpus"):
        a, b = ({} if it is None else msgspec.structs.asdict(it) for it in (getattr(one, part), getattr(other, part)))
        yield from (name for name in {**a, **b} if a.get(name) != b.get(name))
