"""Which model folders a command means."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from lstmbench.errors import CheckpointError

if TYPE_CHECKING:
    from lstmbench.records import ExportedModel


def model_folders(names: Sequence[str] | None, models: Path) -> list[Path]:
    """Folders by path or by name under `models`; without names, every model there."""
    if names:
        return [_folder(name, models) for name in names]
    found = sorted(config.parent for config in models.glob("*/config.json"))
    if not found:
        raise CheckpointError(f"{models} holds no models: train one with 'lstmbench train NAME' or name a folder")
    return found


def exports_of(folder: Path) -> list["ExportedModel"]:
    """The exports in a model folder; CheckpointError if there are none."""
    from lstmbench.export import find

    found = find(folder)
    if not found:
        raise CheckpointError(f"{folder} holds no exports: make one with 'lstmbench export {folder.name}'")
    return found


def _folder(name: str, models: Path) -> Path:
    for folder in (Path(name), models / name):
        if (folder / "config.json").is_file():
            return folder
    raise CheckpointError(f"no model {name!r}: neither a folder with a config.json nor a name under {models}")
