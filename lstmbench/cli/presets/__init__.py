"""`--preset`: options of a command by name, from this folder or a file; the command line has the last word."""

from importlib import resources
from pathlib import Path
from typing import TypeAlias

import msgspec
import typer

from lstmbench import disk
from lstmbench.errors import LstmbenchError

Preset: TypeAlias = dict[str, str | int | float | bool]

NAMED = ("quick", "reference", "large")
OF_ONE_CALL = {"name", "preset", "models", "help"}


def take_preset(context: typer.Context, name: str | None) -> str | None:
    """Make the options of a preset the defaults of the command; BadParameter where there is none, or it has others."""
    if name is not None:
        try:
            options = read_preset(name)
        except LstmbenchError as error:
            raise typer.BadParameter(str(error)) from error
        known = {parameter.name for parameter in context.command.params} - OF_ONE_CALL
        for option in sorted(options.keys() - known):
            raise typer.BadParameter(f"{name} gives {option!r}, which is no option")
        context.default_map = dict(options)
    return name


def read_preset(name: str) -> Preset:
    """A named preset, or one from a TOML file; LstmbenchError in one line where it is neither, or holds no options."""
    if name in NAMED:
        return _options((resources.files(__name__) / f"{name}.toml").read_bytes(), name)
    if Path(name).suffix != ".toml":
        raise LstmbenchError(f"there is no preset {name!r}: give {', '.join(NAMED)}, or a file that ends with .toml")
    return _options(disk.read_bytes(Path(name), named=True), name)


def _options(data: bytes, name: str) -> Preset:
    try:
        return msgspec.toml.decode(data, type=Preset)
    except (msgspec.DecodeError, ValueError) as error:  # of TOML, of UTF-8, or of what it holds
        raise LstmbenchError(f"{name} is no preset: {' '.join(str(error).split())}") from error
