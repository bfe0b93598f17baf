"""Which model folders a command means."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from lstmbench.cli.screen import say
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


def all_exports(names: Sequence[str] | None, models: Path) -> list["ExportedModel"]:
    """The exports of the folders that are meant; where all are, those without one are named on stderr and left out."""
    folders = model_folders(names, models)
    if names:
        return [exported for folder in folders for exported in exports_of(folder)]
    found = {folder: _exports(folder) for folder in folders}
    if not any(found.values()):
        raise CheckpointError(f"{models} holds no exports: make them with 'lstmbench export'")
    for folder, exports in found.items():
        if not exports:
            say(f"{folder} is left out: it holds no exports", err=True)
    return [exported for exports in found.values() for exported in exports]


def exports_of(folder: Path) -> list["ExportedModel"]:
    """The exports in a model folder; CheckpointError if there are none."""
    found = _exports(folder)
    if not found:
        raise CheckpointError(f"{folder} holds no exports: make one with 'lstmbench export {folder.name}'")
    return found


def _exports(folder: Path) -> list["ExportedModel"]:
    from lstmbench.export import find

    return find(folder)


def _folder(name: str, models: Path) -> Path:
    for folder in (Path(name), models / name):
        if (folder / "config.json").is_file():
            return folder
    raise CheckpointError(f"no model {name!r}: neither a folder with a config.json nor a name under {models}")
